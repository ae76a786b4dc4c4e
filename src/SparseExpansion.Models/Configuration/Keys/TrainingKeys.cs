namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Settings of training: dropout, noise, losses and initial values. None of them acts at inference.</summary>
internal static class TrainingKeys
{
    public static readonly KeyValuePair<string, KnownKey>[] All =
    [
        .. KnownKey.Irrelevant(
            "attention_dropout", "attention_dropout_prob", "attention_probs_dropout_prob", "attn_dropout",
            "attn_dropout_prob", "attn_pdrop", "hidden_dropout",
            "hidden_dropout_prob", "dropout", "dropout_prob", "dropout_rate", "resid_dropout", "resid_pdrop",
            "residual_dropout", "embd_dropout", "embd_pdrop",
            "embed_dropout", "embedding_dropout", "emb_dropout_prob", "activation_dropout", "ffn_dropout",
            "mlp_dropout", "classifier_dropout",
            "classifier_dropout_prob", "summary_first_dropout", "layerdrop"),
        .. KnownKey.Irrelevant(
            "neftune_noise_alpha", "gradient_checkpointing", "label_smoothing", "loss_type", "ignore_index",
            "z_loss_weight", "initializer_factor", "init_std",
            "bf16", "fp16", "fp32"),
    ];
}
