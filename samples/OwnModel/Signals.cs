using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace OwnModel;

/// <summary>Synthetic signals of several families, each near a low-dimensional subspace of its own.</summary>
internal sealed class Signals : IDisposable
{
    private const double Noise = 0.02;

    private readonly Tensor _centers;
    private readonly Tensor _bases;

    public Signals(int families, int width, int dimensions)
    {
        _centers = randn(families, width);
        _bases = randn(families, dimensions, width) / Scalars.Of(Math.Sqrt(dimensions));
    }

    /// <summary>Draws signals [count, width], float32.</summary>
    public Tensor Draw(int count)
    {
        using var scope = NewDisposeScope();
        Tensor family = randint(_centers.shape[0], count, dtype: int64);
        Tensor coordinates = randn(count, 1, _bases.shape[1]);
        Tensor offsets = coordinates.bmm(_bases.index_select(0, family)).squeeze(1);
        Tensor signals = _centers.index_select(0, family).Plus(offsets);
        return signals.Plus(Scalars.Of(Noise) * randn_like(signals)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _centers.Dispose();
        _bases.Dispose();
    }
}
