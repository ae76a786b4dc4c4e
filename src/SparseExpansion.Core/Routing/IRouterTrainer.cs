using SparseExpansion.Calibration.Tokens;

namespace SparseExpansion.Routing;

/// <summary>Makes a router from the calibration tokens of an input group.</summary>
public interface IRouterTrainer
{
    /// <summary>Short name for reports, for example <c>pca-kmeans</c>.</summary>
    string Name { get; }

    /// <summary>Fits a router.</summary>
    /// <param name="tokens">The calibration tokens of the group; an expansion hands trainers that do not come with this
    /// library copies, which they may write to.</param>
    /// <param name="context">The device to compute on, the seed, the name of the input group for messages.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>The router, on <see cref="RouterTrainingContext.Device"/>; the caller disposes it.</returns>
    /// <exception cref="CalibrationException">Fewer tokens than experts, or non-finite tokens.</exception>
    IRouter Fit(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default);
}
