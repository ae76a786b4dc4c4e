namespace SparseExpansion.Models.Configuration;

/// <summary>Reads the names of non-linearities.</summary>
internal static class ActivationReader
{
    /// <summary>The non-linearity of a key such as "hidden_act".</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="key">The key.</param>
    /// <param name="missing">Its value where it is missing.</param>
    public static ActivationKind Read(ConfigObject config, string key, string missing)
    {
        string name = config.OptionalString(key) ?? missing;
        return name switch
        {
            "silu" or "swish" => ActivationKind.Silu,
            "gelu" => ActivationKind.Gelu,
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => ActivationKind.GeluTanh,
            "relu" => ActivationKind.Relu,
            _ => throw config.Error(
                key, $"is '{name}'; supported are silu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh and relu"),
        };
    }
}
