using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace CustomPruner;

#region custom-router-trainer
/// <summary>Draws planes of random direction, each shifted so that it halves the calibration tokens.</summary>
public sealed class HyperplaneTrainer(int planes) : IRouterTrainer
{
    public string Name => HyperplaneRouter.Kind;

    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)context.Seed, context.Device);
        Tensor normals = randn(planes, tokens.Features, device: context.Device, generator: generator);
        var projections = new List<Tensor>();
        foreach (Tensor chunk in tokens.ReadChunks(8_192, context.Device))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (chunk)
            {
                projections.Add(chunk.matmul(normals.t()));
            }
        }

        (Tensor sorted, _) = cat(projections).sort(dim: 0);
        return new HyperplaneRouter(normals, offsets: sorted.select(0, sorted.shape[0] / 2));
    }
}
#endregion
