using SparseExpansion.Routing;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Routes by the whole part of a token's first feature, modulo k, and counts its calls.</summary>
internal sealed class ParityRouter(int expertCount, int inputFeatures) : IRouter
{
    public int Calls;

    public int ExpertCount => expertCount;

    public int InputFeatures => inputFeatures;

    public static int ExpertOf(float first, int expertCount) => (int)(((long)MathF.Floor(first) % expertCount + expertCount) % expertCount);

    public Tensor Route(Tensor tokens)
    {
        Interlocked.Increment(ref Calls);
        using var scope = NewDisposeScope();
        return tokens.select(1, 0).to(ScalarType.Float32).floor().to(ScalarType.Int64).remainder(Scalars.Of(expertCount)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
    }
}
