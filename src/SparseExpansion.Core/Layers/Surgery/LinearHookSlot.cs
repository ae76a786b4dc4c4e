using SparseExpansion.Internal.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>
/// A field typed <c>Linear</c>, which nothing else fits into, or a model that is nothing but a linear. The linear stays
/// and is served by hooks: a pre-hook hands it no tokens, a post-hook answers with the mixture's output. Hooks fire
/// through <c>call</c> only.
/// </summary>
internal sealed class LinearHookSlot(string name, Linear linear) : ModuleSlot(name, linear)
{
    // Between the two hooks only the linear itself runs, so one input a thread is enough.
    [ThreadStatic]
    private static Tensor? s_input;

    private readonly List<Action> _removeHooks = [];

    public override void Install(SparseMixtureLayer mixture)
    {
        Restore();
        _removeHooks.Add(linear.register_forward_pre_hook((_, input) =>
        {
            s_input = input;
            return input.new_empty(0, mixture.InFeatures);
        }).remove);
        _removeHooks.Add(linear.register_forward_hook((_, noTokens, noOutput) =>
        {
            noTokens.Dispose();
            noOutput.Dispose();
            (Tensor? input, s_input) = (s_input, null);
            return mixture.call(input!);
        }).remove);
        ModuleInternals.SetChild(linear, HookedNames.Child, mixture);
    }

    public override void Restore()
    {
        _removeHooks.ForEach(remove => remove());
        _removeHooks.Clear();
        ModuleInternals.RemoveChild(linear, HookedNames.Child);
    }

    public override void ReleaseDense()
    {
        linear.weight = FrozenParameter.Create(() => linear.weight!.new_empty(0, linear.in_features));
        if (linear.bias is not null)
        {
            linear.bias = FrozenParameter.Create(() => linear.weight!.new_empty(0));
        }
    }
}
