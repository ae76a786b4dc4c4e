using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>
/// Cosines and sines of the rotary angles, shared by the blocks of a model and grown when longer sequences come. Tables
/// that were
/// outgrown live as long as the model, because another thread may still read them; doubling keeps them below the size
/// of the newest.
/// </summary>
internal sealed class RotaryTable : IDisposable
{
    private const long FirstLength = 256;

    private readonly double[] _frequencies;
    private readonly Lock _growing = new();
    private readonly List<(Device Device, long Length, Tensor Cosines, Tensor Sines)> _tables = [];

    public RotaryTable(RotaryOptions options) => _frequencies = RotaryFrequencies.Compute(options);

    /// <summary>Rotates the first features of every head by the angles of its position.</summary>
    /// <param name="heads">[batch, heads, tokens, features].</param>
    /// <param name="position">Position of the first token.</param>
    /// <returns>A new tensor of the same shape and dtype; the rotation is computed in float32.</returns>
    public Tensor Rotate(Tensor heads, long position)
    {
        using var scope = NewDisposeScope();
        long tokens = heads.size(2);
        long half = _frequencies.Length;
        (Tensor allCosines, Tensor allSines) = Get(heads.device, position + tokens);
        Tensor cosines = allCosines.narrow(0, position, tokens);
        Tensor sines = allSines.narrow(0, position, tokens);
        Tensor first = heads.narrow(-1, 0, half);
        Tensor second = heads.narrow(-1, half, half);
        Tensor turned =
            cat([(first * cosines) - (second * sines), (second * cosines).Plus(first * sines)], -1).to(heads.dtype);
        long rest = heads.size(-1) - (2 * half);
        Tensor result = rest == 0 ? turned : cat([turned, heads.narrow(-1, 2 * half, rest)], -1);
        return result.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        lock (_growing)
        {
            foreach ((_, _, Tensor cosines, Tensor sines) in _tables)
            {
                cosines.Dispose();
                sines.Dispose();
            }

            _tables.Clear();
        }
    }

    private (Tensor Cosines, Tensor Sines) Get(Device device, long length)
    {
        lock (_growing)
        {
            long known = 0;
            foreach (var table in _tables)
            {
                bool here = table.Device.type == device.type && table.Device.index == device.index;
                if (here && table.Length >= length)
                {
                    return (table.Cosines, table.Sines);
                }

                known = here ? Math.Max(known, table.Length) : known;
            }

            return Add(device, Math.Max(FirstLength, Math.Max(length, 2 * known)));
        }
    }

    private (Tensor Cosines, Tensor Sines) Add(Device device, long length)
    {
        // A table made under inference mode could not take part in training later.
        using var recordable = inference_mode(false);
        using var scope = NewDisposeScope();
        Tensor angles = outer(TensorArithmetic.Range(length, float64), tensor(_frequencies, dtype: float64));
        Tensor cosines = angles.cos().to(float32).to(device).DetachFromDisposeScope();
        Tensor sines = angles.sin().to(float32).to(device).DetachFromDisposeScope();
        _tables.Add((device, length, cosines, sines));
        return (cosines, sines);
    }
}
