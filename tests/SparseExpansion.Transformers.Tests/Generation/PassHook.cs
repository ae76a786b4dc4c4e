using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

/// <summary>Calls an action in every pass of a model, before the final norm, until it is disposed.</summary>
internal sealed class PassHook : IDisposable
{
    private readonly Action _remove;

    public PassHook(CausalLanguageModel model, Action action)
    {
        string path = $"{model.Names.Root}.{model.Names.FinalNorm}";
        var norm = (nn.Module<Tensor, Tensor>)model.named_modules().Single(entry => entry.name == path).module;
        _remove = norm.register_forward_pre_hook((_, input) =>
        {
            action();
            return input;
        }).remove;
    }

    public void Dispose() => _remove();
}
