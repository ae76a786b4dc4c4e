using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Modules;

/// <summary>A module that only holds others, for the sake of their names.</summary>
internal sealed class ModuleGroup() : nn.Module(nameof(ModuleGroup))
{
    /// <summary>The module at a path below a root; groups on the way are made.</summary>
    /// <param name="root">Where the path begins.</param>
    /// <param name="path">Names with dots between.</param>
    public static nn.Module At(nn.Module root, string path)
    {
        nn.Module at = root;
        foreach (string name in path.Split('.'))
        {
            var next = new ModuleGroup();
            at.register_module(name, next);
            at = next;
        }

        return at;
    }
}
