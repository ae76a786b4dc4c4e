using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Panels;

/// <summary>
/// Computes the outputs of all neurons for all tokens within a memory budget, and shows them slice by slice. Every
/// panel of neurons reads the tokens once more: recomputing outputs costs less than spilling them.
/// </summary>
internal sealed class PanelPass(
    string layer, AnalyzedTokens tokens, IReadOnlyList<OutputMap> maps, PanelPlan plan,
    CancellationToken cancellationToken)
{
    /// <summary>Runs the pass.</summary>
    /// <param name="visit">
    /// Called with a slice of neurons; its tensors are valid during the call only. Temporaries may be left to the
    /// dispose scope.
    /// </param>
    public void Run(Action<PanelSlice> visit)
    {
        using var noGrad = no_grad();
        int neurons = maps[0].Neurons.Length;
        for (int from = 0; from < neurons; from += plan.PanelNeurons)
        {
            RunPanel(from, Math.Min(from + plan.PanelNeurons, neurons), visit);
        }
    }

    private void RunPanel(int from, int to, Action<PanelSlice> visit)
    {
        using var scope = NewDisposeScope();
        PanelWeights[] weights = [.. maps.Select(map => map.Load(from, to))];
        Tensor[] outputs = [.. maps.Select(map => empty(to - from, tokens.Count, ScalarType.Float32, map.Device))];
        Multiply(weights, outputs);
        double[] norms = maps[0].Norms(weights[0]);
        for (int row = 0; row < to - from; row += plan.SliceNeurons)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var sliceScope = NewDisposeScope();
            int count = Math.Min(plan.SliceNeurons, to - from - row);
            visit(new PanelSlice(
                from + row, [.. outputs.Select(output => output.narrow(0, row, count))], norms.AsMemory(row, count)));
        }
    }

    private void Multiply(PanelWeights[] weights, Tensor[] outputs)
    {
        int first = 0;
        foreach (Tensor chunk in tokens.Source.ReadChunks(plan.ChunkTokens, maps[0].Device))
        {
            using (chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = (int)chunk.shape[0];
                for (int m = 0; m < maps.Count; m++)
                {
                    using Tensor target = outputs[m].narrow(1, first, count);
                    maps[m].Multiply(weights[m], chunk, first, target);
                }

                first += count;
            }
        }

        if (first != tokens.Count)
        {
            throw new CalibrationException(
                $"Layer '{layer}': the token source has {tokens.Count} tokens, but returned {first}.")
            { Layer = layer };
        }
    }

    /// <summary>Refuses rows that were found to hold values that are not finite.</summary>
    /// <param name="layer">For the message.</param>
    /// <param name="neuron">One of the rows, or negative if there is none.</param>
    public static void ThrowIfBad(string layer, int neuron)
    {
        if (neuron >= 0)
        {
            throw new CalibrationException(
                $"Layer '{layer}': outputs of neuron {neuron} are NaN or infinite; "
                + "check the tokens it was given and the dtype of the weight.")
            { Layer = layer };
        }
    }
}
