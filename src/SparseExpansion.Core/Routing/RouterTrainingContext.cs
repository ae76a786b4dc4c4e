using TorchSharp;

namespace SparseExpansion.Routing;

/// <summary>Circumstances of one router training.</summary>
/// <param name="Group">Name of the input group, for messages: the module paths
/// of the linears that share the router.</param>
/// <param name="Device">The device to compute on, and of the router.</param>
/// <param name="Seed">Seed of all randomness; the same seed and tokens give the same router.</param>
public sealed record RouterTrainingContext(string Group, torch.Device Device, long Seed);
