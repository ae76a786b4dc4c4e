using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>Rows of a live weight that were replaced; disposing it puts the old ones back.</summary>
internal sealed class AblatedRows : IDisposable
{
    private readonly Tensor _weight;
    private readonly Action _restored;
    private Tensor? _rows;
    private Tensor? _dense;

    public AblatedRows(Tensor weight, Tensor pruned, int[] neurons, Action restored)
    {
        (_weight, _restored) = (weight, restored);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor rows = tensor(Array.ConvertAll(neurons, neuron => (long)neuron), device: weight.device);
        Tensor dense = weight.index_select(0, rows);
        weight.index_copy_(0, rows, pruned.index_select(0, rows));
        (_rows, _dense) = (rows.DetachFromDisposeScope(), dense.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        if (_rows is null || _dense is null)
        {
            return;
        }

        using var noGrad = no_grad();
        using (_rows)
        using (_dense)
        {
            _weight.index_copy_(0, _rows, _dense);
        }

        (_rows, _dense) = (null, null);
        _restored();
    }
}
