using SparseExpansion.Calibration.Capture;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A block of a model, whatever it is called with besides the hidden state.</summary>
/// <param name="module">The block.</param>
/// <param name="otherArguments">Number of arguments after the hidden state.</param>
/// <param name="call">Calls the block with a hidden state and its other arguments; gives its first output.</param>
/// <param name="onCall">Has a function told of the arguments of every call; gives what ends that.</param>
/// <param name="onReturn">Has a function exchange the first output of every call; gives what ends that.</param>
internal sealed class Block(
    nn.Module module, int otherArguments, Func<Tensor, Tensor?[], Tensor> call,
    Func<Action<Tensor, Tensor?[]>, Action> onCall, Func<Func<Tensor, Tensor>, Action> onReturn)
{
    /// <summary>The block itself.</summary>
    public nn.Module Module { get; } = module;

    /// <summary>Number of arguments after the hidden state.</summary>
    public int OtherArguments { get; } = otherArguments;

    /// <exception cref="ArgumentException">The module cannot be run as a block.</exception>
    public static Block Of(nn.Module module, int index) => BlockForms.TryCreate(module ?? throw new ArgumentException($"Block {index} is null.")) ?? throw new ArgumentException(
        $"Block {index} is of type {BlockForms.Describe(module)}. A block takes its hidden state as a Tensor, and up to three Tensors more such as masks and positions, and gives a Tensor or a "
        + "tuple of two or three Tensors of which the first is the hidden state. Let the model call such a block through an adapter (docs/own-model.md shows one), or leave Blocks out to expand the model as a whole.");

    /// <summary>Makes a part that runs a block by itself.</summary>
    /// <param name="block">Gives the block that is in its place; asked at each run.</param>
    /// <param name="index">Its index.</param>
    /// <param name="device">Its device.</param>
    public static RunnablePart ToPart(Func<Block> block, int index, Device device) =>
        new($"block {index}", batch => block().Call(batch.Input, batch.Arguments?.Of(index, device) ?? []), device);

    /// <summary>Calls the block with a hidden state and its other arguments.</summary>
    /// <returns>Its first output.</returns>
    public Tensor Call(Tensor hidden, Tensor?[] arguments) => call(hidden, arguments);

    /// <summary>
    /// Has a function told of hidden state and other arguments of every call, before it; the function may end the pass.
    /// </summary>
    /// <returns>Ends that.</returns>
    public Action OnCall(Action<Tensor, Tensor?[]> action) => onCall(action);

    /// <summary>Has a function exchange the hidden state that every call returns.</summary>
    /// <returns>Ends that.</returns>
    public Action OnReturn(Func<Tensor, Tensor> exchange) => onReturn(exchange);
}
