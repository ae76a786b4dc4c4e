#pragma warning disable
using SparseExpansion.Calibration;
namespace SparseExpansion.Routing;
public sealed record PcaKMeansOptions;
public sealed class PcaKMeansTrainer(PcaKMeansOptions o) : IRouterTrainer { public string Name => o.ToString(); public IRouter Fit(ITokenSource t, RouterTrainingContext c, CancellationToken ct=default)=>throw new InvalidOperationException(); }
public sealed record RouterAssignment(int[] Experts, IReadOnlyList<long> Counts) { public static RouterAssignment Compute(IRouter r, ITokenSource t, int c, TorchSharp.torch.Device d)=>throw new InvalidOperationException(); }
