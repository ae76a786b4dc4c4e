using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Draws the plane of a <see cref="SideRouter"/>, and tells what that takes.</summary>
internal sealed class SideTrainer : ISizedRouterTrainer
{
    public string Name => SideRouter.Kind;

    public int MostExperts { get; init; } = 2;

    public long Bytes { get; init; }

    public double Work { get; init; } = 1;

    public long BytesToFit(long tokens, long features) => Bytes;

    public double WorkToFit(long tokens, long features) => Work;

    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)context.Seed);
        return new SideRouter(randn(tokens.Features, generator: generator));
    }
}
