using System.Collections;
using System.Reflection;
using TorchSharp;

namespace SparseExpansion.Internal.Torch;

/// <summary>
/// The non-public parts of TorchSharp modules that surgery must keep in step: a module's children by name, and the
/// item lists of containers. Fails with a clear message when a TorchSharp version has changed them.
/// </summary>
internal static class ModuleInternals
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;

    /// <summary>Sets or adds a child, so that names and <c>state_dict</c> follow.</summary>
    public static void SetChild(torch.nn.Module parent, string name, torch.nn.Module child) =>
        Children(parent)[name] = child;

    /// <summary>
    /// Exchanges a child if it is registered; containers that register lazily take it from their items later.
    /// </summary>
    public static void ReplaceChild(torch.nn.Module parent, string name, torch.nn.Module child)
    {
        if (Children(parent).ContainsKey(name))
        {
            Children(parent)[name] = child;
        }
    }

    public static void RemoveChild(torch.nn.Module parent, string name)
    {
        if (Children(parent).ContainsKey(name))
        {
            Children(parent).Remove(name);
        }
    }

    /// <summary>The item list of a <c>Sequential</c> or <c>ModuleList</c>.</summary>
    public static IList Items(torch.nn.Module container, string field) =>
        (IList)Read(container, container.GetType(), field);

    private static IDictionary<string, torch.nn.Module> Children(torch.nn.Module module) =>
        (IDictionary<string, torch.nn.Module>)Read(module, typeof(torch.nn.Module), "_internal_submodules");

    private static object Read(torch.nn.Module module, Type type, string field)
    {
        for (Type? level = type; level is not null; level = level.BaseType)
        {
            if (level.GetField(field, Hidden)?.GetValue(module) is { } value)
            {
                return value;
            }
        }

        throw new SparseExpansionException(
            $"{type.Name} of this TorchSharp version has no '{field}'; layers cannot be exchanged. "
            + "Use the TorchSharp version that the package names.");
    }
}
