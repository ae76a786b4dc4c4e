using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Modules;

/// <summary>Registers children under names that are known at run time only.</summary>
internal static class ModuleExtensions
{
    /// <summary>Registers a child and gives it back.</summary>
    public static T Add<T>(this nn.Module parent, string name, T child)
        where T : nn.Module
    {
        parent.register_module(name, child);
        return child;
    }
}
