namespace SparseExpansion.Execution.Expanded;

/// <summary>Names of files and tensors of an expanded model.</summary>
internal static class ExpandedTensorNames
{
    /// <summary>All tensors of the model that belong to no mixture, under their <c>state_dict</c> names.</summary>
    public const string ModelFile = "model.safetensors";

    /// <summary>Experts, biases and routers of the mixtures.</summary>
    public const string ExpertsFile = "experts.safetensors";

    public static string Bias(string layer) => $"{layer}.bias";

    public static string Expert(string layer, string tensor) => $"{layer}.experts.{tensor}";

    public static string Router(int index, string tensor) => $"routers.{index}.{tensor}";
}
