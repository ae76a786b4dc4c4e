using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>
/// Decides which expert a token goes to. Hard top-1: one expert a token. A router that is also a
/// <see cref="TorchSharp.torch.nn.Module"/> moves with its layer and appears in its <c>state_dict</c>.
/// </summary>
public interface IRouter : IDisposable
{
    /// <summary>Number of experts k.</summary>
    int ExpertCount { get; }

    /// <summary>Width of a token.</summary>
    int InputFeatures { get; }

    /// <summary>
    /// Assigns tokens to experts. Must be deterministic, and free of side effects that callers can see.
    /// </summary>
    /// <param name="tokens">[tokens, in_features], floating dtype; layers and expansions hand
    /// routers that do not come with this library a copy.</param>
    /// <returns>int64 [tokens] with values in [0, k), on the device of <paramref name="tokens"/>.</returns>
    Tensor Route(Tensor tokens);
}
