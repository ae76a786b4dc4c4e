using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The experts of the tokens of one forward pass, sorted by expert in host memory or on the device, whichever the
/// experts ask for. Reference counted, because the linears of an input group share it.
/// </summary>
internal sealed class RoutingDecision
{
    private readonly Lock _lock = new();
    private readonly Tensor _experts;
    private readonly int _expertCount;
    private HostGroups? _host;
    private DeviceGroups? _device;
    private int _holders = 1;

    /// <param name="experts">int64 [tokens], values in [0, expertCount); taken over.</param>
    /// <param name="expertCount">Number of experts.</param>
    public RoutingDecision(Tensor experts, int expertCount)
    {
        _experts = experts.DetachFromDisposeScope();
        _expertCount = expertCount;
    }

    /// <summary>The expert of each token, int64 [tokens], on the device of the tokens; belongs to the decision.</summary>
    public Tensor Experts => _experts;

    /// <summary>The groups in host memory. For tokens on a GPU this waits for it.</summary>
    /// <exception cref="SparseExpansionException">The router named an expert that does not exist.</exception>
    public HostGroups OnHost()
    {
        lock (_lock)
        {
            return Host();
        }
    }

    /// <summary>
    /// The groups as tensors on the device of the tokens: on a GPU without waiting for it, on the CPU made of the
    /// groups in host memory.
    /// </summary>
    /// <exception cref="SparseExpansionException">On the CPU: the router
    /// named an expert that does not exist.</exception>
    public DeviceGroups OnDevice()
    {
        lock (_lock)
        {
            return _device ??= _experts.device_type == DeviceType.CPU
                ? DeviceGroups.Of(Host())
                : DeviceGroups.Of(_experts, _expertCount);
        }
    }

    private HostGroups Host() => _host ??= HostGroups.Of(_experts, _expertCount);

    /// <summary>Takes part in the decision until <see cref="Release"/>.</summary>
    public RoutingDecision Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>Gives up one hold; the last one frees everything.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _experts.Dispose();
            _host?.Dispose();
            _device?.Dispose();
        }
    }
}
