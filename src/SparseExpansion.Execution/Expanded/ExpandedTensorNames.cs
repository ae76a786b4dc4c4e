namespace SparseExpansion.Execution.Expanded;

/// <summary>Names of files and tensors of an expanded model.</summary>
internal static class ExpandedTensorNames
{
    /// <summary>All tensors of the model that belong to no mixture, under their <c>state_dict</c> names.</summary>
    public const string ModelFile = "model.safetensors";

    /// <summary>Experts, biases and routers of the mixtures.</summary>
    public const string ExpertsFile = "experts.safetensors";

    public static string Bias(string layer) => $"{layer}.bias";

    /// <summary>Weight of a linear or embedding, in the file of the model.</summary>
    public static string Weight(string layer) => $"{layer}.weight";

    /// <summary>Codes of such a weight where it is quantized, in the file of the experts.</summary>
    public static string Codes(string layer) => $"{layer}.codes";

    public static string Scales(string layer) => $"{layer}.scales";

    public static string Zeros(string layer) => $"{layer}.zeros";

    public static string Expert(string layer, string tensor) => $"{layer}.experts.{tensor}";

    public static string Router(int index, string tensor) => $"routers.{index}.{tensor}";
}
