using System.Collections;
using System.Reflection;
using SparseExpansion.Internal.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>Finds the linears of a model, and the way in which each can be exchanged.</summary>
internal static class SlotFinder
{
    private const BindingFlags Fields =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>
    /// All <c>Linear</c> modules below <paramref name="root"/>, depth first in the order of registration; or the root
    /// itself, if it is one.
    /// </summary>
    public static IReadOnlyList<ModuleSlot> FindLinears(nn.Module root)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (root is Linear whole)
        {
            return IsExpanded(whole) ? [] : [new LinearHookSlot(HookedNames.Root, whole)];
        }

        var slots = new List<ModuleSlot>();
        Visit(root, "", slots);
        return slots;
    }

    private static void Visit(nn.Module parent, string prefix, List<ModuleSlot> slots)
    {
        foreach ((string name, nn.Module child) in parent.named_children())
        {
            string path = prefix.Length == 0 ? name : $"{prefix}.{name}";
            if (child is Linear linear && !IsExpanded(linear))
            {
                slots.Add(CreateSlot(parent, name, path, linear));
            }
            else if (child is not SparseMixtureLayer)
            {
                Visit(child, path, slots);
            }
        }
    }

    private static bool IsExpanded(Linear linear) => linear.children().OfType<SparseMixtureLayer>().Any();

    private static ModuleSlot CreateSlot(nn.Module parent, string name, string path, Linear linear)
    {
        Action<nn.Module<Tensor, Tensor>>? assign = parent switch
        {
            Sequential => AssignItem(ModuleInternals.Items(parent, "_modules"), linear),
            _ when IsListOf<nn.Module<Tensor, Tensor>>(parent) || IsListOf<nn.Module>(parent)
                => AssignItem(ModuleInternals.Items(parent, "_list"), linear),
            _ => AssignField(parent, linear),
        };
        return assign is null
            ? new LinearHookSlot(path, linear)
            : new ReplacingSlot(path, linear, module =>
            {
                assign(module);
                ModuleInternals.ReplaceChild(parent, name, module);
            });
    }

    private static bool IsListOf<T>(nn.Module module)
        where T : nn.Module => module is ModuleList<T>;

    private static Action<nn.Module<Tensor, Tensor>>? AssignItem(IList items, Linear linear)
    {
        int index = items.IndexOf(linear);
        return index < 0 ? null : module => items[index] = module;
    }

    /// <summary>
    /// Finds the field of a module that holds a linear, or of a part of it: a module in a field that registers its
    /// children as the parent's own.
    /// </summary>
    private static Action<nn.Module<Tensor, Tensor>>? AssignField(nn.Module parent, Linear linear) =>
        AssignOwnField(parent, linear)
        ?? AllFields(parent).Select(field => field.GetValue(parent)).OfType<nn.Module>()
            .Where(part => !parent.children().Contains(part))
            .Select(part => AssignOwnField(part, linear))
            .FirstOrDefault(assign => assign is not null);

    private static Action<nn.Module<Tensor, Tensor>>? AssignOwnField(nn.Module owner, Linear linear)
    {
        FieldInfo? found = AllFields(owner).FirstOrDefault(field =>
            field.FieldType.IsAssignableFrom(typeof(SparseMixtureLayer)) && ReferenceEquals(field.GetValue(owner), linear));
        return found is null ? null : module => found.SetValue(owner, module);
    }

    private static IEnumerable<FieldInfo> AllFields(nn.Module module)
    {
        for (Type? type = module.GetType(); type is not null && type != typeof(nn.Module); type = type.BaseType)
        {
            foreach (FieldInfo field in type.GetFields(Fields))
            {
                yield return field;
            }
        }
    }
}
