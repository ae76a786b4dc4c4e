using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>
/// The forms of modules that can be run as blocks. TorchSharp has a type for each number of arguments, and hooks are of
/// that type.
/// </summary>
internal static class BlockForms
{
    /// <returns>Null for modules of other forms.</returns>
    public static Block? TryCreate(nn.Module module) =>
        TryCreate<Tensor, OneTensor>(module) ?? TryCreate<(Tensor, Tensor), TwoTensors>(module)
            ?? TryCreate<(Tensor, Tensor, Tensor), ThreeTensors>(module);

    /// <summary>The name of a module's type, and of the form that it has.</summary>
    public static string Describe(nn.Module module)
    {
        Type? form = module.GetType();
        while (form is not null && form.Assembly != typeof(nn.Module).Assembly)
        {
            form = form.BaseType;
        }

        // A module of TorchSharp's own derives from the form, too.
        while (form is { IsGenericType: false } && form != typeof(nn.Module))
        {
            form = form.BaseType;
        }

        return $"{module.GetType().Name} (Module{Arguments(form!, "<", ">")})";
    }

    private static string Arguments(Type type, string open, string close) =>
        type.IsGenericType ? $"{open}{string.Join(", ", type.GenericTypeArguments.Select(Name))}{close}" : "";

    private static string Name(Type type) =>
        Nullable.GetUnderlyingType(type) is { } value ? $"{Name(value)}?"
        : type.IsAssignableTo(typeof(ITuple)) ? Arguments(type, "(", ")")
        : type.Name;

    private static Block? TryCreate<TResult, TOutput>(nn.Module module)
        where TOutput : IBlockOutput<TResult> => module switch
        {
            nn.Module<Tensor, TResult> block => new Block(
                block,
                0,
                (hidden, _) => TOutput.First(block.call(hidden)),
                told => block.register_forward_pre_hook((_, hidden) =>
                {
                    told(hidden, []);
                    return hidden;
                }).remove,
                exchange => block.register_forward_hook((_, _, output) => TOutput.With(output, exchange(TOutput.First(output)))).remove),
            nn.Module<Tensor, Tensor, TResult> block => new Block(
                block,
                1,
                (hidden, more) => TOutput.First(block.call(hidden, more[0]!)),
                told => block.register_forward_pre_hook((_, hidden, one) =>
                {
                    told(hidden, [one]);
                    return (hidden, one);
                }).remove,
                exchange => block.register_forward_hook((_, _, _, output) => TOutput.With(output, exchange(TOutput.First(output)))).remove),
            nn.Module<Tensor, Tensor, Tensor, TResult> block => new Block(
                block,
                2,
                (hidden, more) => TOutput.First(block.call(hidden, more[0]!, more[1]!)),
                told => block.register_forward_pre_hook((_, hidden, one, two) =>
                {
                    told(hidden, [one, two]);
                    return (hidden, one, two);
                }).remove,
                exchange => block.register_forward_hook((_, _, _, _, output) => TOutput.With(output, exchange(TOutput.First(output)))).remove),
            nn.Module<Tensor, Tensor, Tensor, Tensor, TResult> block => new Block(
                block,
                3,
                (hidden, more) => TOutput.First(block.call(hidden, more[0]!, more[1]!, more[2]!)),
                told => block.register_forward_pre_hook((_, hidden, one, two, three) =>
                {
                    told(hidden, [one, two, three]);
                    return (hidden, one, two, three);
                }).remove,
                exchange => block.register_forward_hook((_, _, _, _, _, output) => TOutput.With(output, exchange(TOutput.First(output)))).remove),
            _ => null,
        };
}
