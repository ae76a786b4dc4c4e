using SparseExpansion.Layers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Panels;

/// <summary>
/// Computes outputs of chosen neurons of a layer whose tokens may go to different weights: y = W_{e(x)} x + b.
/// </summary>
internal sealed class OutputMap
{
    private readonly Func<int, Tensor> _weightOf;
    private readonly TokenClusters _clusters;
    private readonly Tensor? _bias;

    /// <param name="weightOf">The weight [out_features, in_features] of an expert; this class disposes what it
    /// returns.</param>
    /// <param name="clusters">The expert of every token.</param>
    /// <param name="bias">[out_features], or null.</param>
    /// <param name="neurons">Rows of the weight that are wanted.</param>
    public OutputMap(Func<int, Tensor> weightOf, TokenClusters clusters, Tensor? bias, int[] neurons)
    {
        (_weightOf, _clusters, _bias, Neurons) = (weightOf, clusters, bias, neurons);
        using Tensor first = weightOf(0);
        (Device, InFeatures) = (first.device, checked((int)first.shape[1]));
    }

    /// <summary>An expanded layer, whose experts are unpacked one at a time.</summary>
    public static OutputMap Mixture(SparseMixtureLayer layer, TokenClusters clusters, int[] neurons) =>
        new(layer.GetExpertWeight, clusters, layer.Bias, neurons)
        { LoadBytes = sizeof(float) * layer.InFeatures * layer.OutFeatures };

    /// <summary>A dense layer: one weight for all tokens.</summary>
    public static OutputMap Dense(Tensor weight, Tensor? bias, int tokens, int[] neurons) =>
        new(_ => weight.alias(), TokenClusters.One(tokens), bias, neurons);

    public int[] Neurons { get; }

    public int InFeatures { get; }

    public Device Device { get; }

    public int Experts => _clusters.Count;

    /// <summary>Bytes taken for a moment while weights are loaded.</summary>
    public long LoadBytes { get; private init; }

    /// <summary>The weights of some of the neurons.</summary>
    /// <param name="from">First position in <see cref="Neurons"/>.</param>
    /// <param name="to">Position after the last.</param>
    /// <returns>Tensors in the caller's dispose scope.</returns>
    public PanelWeights Load(int from, int to)
    {
        using var scope = NewDisposeScope();
        Tensor rows = tensor(Array.ConvertAll(Neurons[from..to], neuron => (long)neuron), device: Device);
        var weights = new Tensor[Experts];
        for (int e = 0; e < weights.Length; e++)
        {
            using Tensor whole = _weightOf(e);
            weights[e] = whole.detach().index_select(0, rows).to(ScalarType.Float32).MoveToOuterDisposeScope();
        }

        Tensor? bias = _bias?.detach().to(Device).index_select(0, rows).to(ScalarType.Float32).unsqueeze(1)
            .MoveToOuterDisposeScope();
        return new PanelWeights(weights, bias);
    }

    /// <summary>Multiplies a chunk of tokens.</summary>
    /// <param name="panel">The weights.</param>
    /// <param name="chunk">[tokens, in_features], float32.</param>
    /// <param name="first">Position of the chunk's first token.</param>
    /// <param name="outputs">[neurons, tokens], float32, written.</param>
    public void Multiply(PanelWeights panel, Tensor chunk, int first, Tensor outputs)
    {
        using var scope = NewDisposeScope();
        if (Experts == 1)
        {
            outputs.copy_(panel.Weights[0].matmul(chunk.t()));
        }
        else
        {
            panel.Multiply(chunk, _clusters.Slice(first, (int)chunk.shape[0]), outputs);
        }

        if (panel.Bias is not null)
        {
            outputs.PlusInPlace(panel.Bias);
        }
    }

    /// <summary>Norms of the neurons' weights, the mean over experts weighted by their tokens.</summary>
    public double[] Norms(PanelWeights panel)
    {
        using var scope = NewDisposeScope();
        Tensor norms = zeros(panel.Weights[0].shape[0], ScalarType.Float64);
        double tokens = _clusters.Members.Sum(members => (double)members.Length);
        for (int e = 0; e < Experts; e++)
        {
            Tensor squares = panel.Weights[e].Squared().sum(1, type: ScalarType.Float64);
            norms.PlusInPlace(squares.sqrt().cpu().mul_(Scalars.Of(_clusters.Members[e].Length / tokens)));
        }

        return norms.data<double>().ToArray();
    }
}
