using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>
/// Arguments that a model hands its blocks besides the hidden state, recorded from one pass of the dense model over all
/// batches, so that blocks can be run apart from it. Equal tensors, such as one mask for all blocks and batches, are
/// kept once.
/// </summary>
internal sealed class RecordedArguments : IDisposable
{
    private readonly SharedCopies _copies = new();

    private RecordedArguments(IReadOnlyList<CalibrationBatch> batches) => Batches = batches;

    /// <summary>The batches with their arguments.</summary>
    public IReadOnlyList<CalibrationBatch> Batches { get; private set; }

    /// <summary>Runs the dense model, unless all blocks take a hidden state only.</summary>
    /// <exception cref="SparseExpansionException"> A block is not called, or with arguments that depend on the blocks
    /// before it.
    /// </exception>
    public static RecordedArguments Of(ExpansionRequest request, IReadOnlyList<CalibrationBatch> batches, Device device, CancellationToken cancellationToken)
    {
        var recorded = new RecordedArguments(batches);
        if (!request.BlocksTakeMore)
        {
            return recorded;
        }

        try
        {
            recorded.Record(request, RunnablePart.Of("the model", request.Forward!, device), cancellationToken);
            return recorded;
        }
        catch
        {
            recorded.Dispose();
            throw;
        }
    }

    public void Dispose() => _copies.Dispose();

    private void Record(ExpansionRequest request, RunnablePart model, CancellationToken cancellationToken)
    {
        var batches = new List<CalibrationBatch>();
        List<Tensor> former = [];
        foreach (CalibrationBatch batch in Batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<Tensor> used = [];
            BlockArguments arguments = Watch(request, model, batch, tensor => _copies.Keep(tensor, former, used));
            if (batches.Count == 0)
            {
                RequireIndependent(request, model, batch, arguments);
            }

            batches.Add(batch.WithArguments(arguments));
            former = used;
        }

        Batches = batches;
    }

    private static BlockArguments Watch(
        ExpansionRequest request, RunnablePart model, CalibrationBatch batch, Func<Tensor, Tensor> keep)
    {
        var seen = new IReadOnlyList<Tensor?>?[request.Blocks.Count];
        Action[] remove = [.. request.Blocks.Select((block, index) => block.OnCall((_, others) => seen[index] = [.. others.Select(other => other is null ? null : keep(other))]))];
        try
        {
            model.Run(batch, keepOutput: false);
        }
        finally
        {
            Array.ForEach(remove, action => action());
        }

        int missing = Array.IndexOf(seen, null);
        BlockEntry.Check(missing < 0, request, missing, "is not called through call(…)");
        return new BlockArguments(seen!);
    }

    /// <summary>
    /// Calls the blocks with other hidden states and looks whether they get the same arguments. If not, those of the
    /// dense model would be wrong for the expanded one.
    /// </summary>
    private static void RequireIndependent(
        ExpansionRequest request, RunnablePart model, CalibrationBatch batch, BlockArguments arguments)
    {
        using var scope = NewDisposeScope();
        Action[] remove = [.. request.Blocks.Select(block => block.OnReturn(output => output.flip(-1)))];
        BlockArguments others;
        try
        {
            others = Watch(
                request, model, batch, tensor => tensor.detach().to(CPU, copy: true).MoveToOtherDisposeScope(scope));
        }
        finally
        {
            Array.ForEach(remove, action => action());
        }

        for (int block = 0; block < request.Blocks.Count; block++)
        {
            bool same = arguments.Of(block).Zip(others.Of(block)).All(pair => (pair.First is null) == (pair.Second is null) && (pair.First is null || SharedCopies.Same(pair.First, pair.Second!)));
            BlockEntry.Check(same, request, block, "takes an argument beside the hidden state that depends on what the blocks before it put out");
        }
    }
}
