using SparseExpansion.Execution;

namespace SparseExpansion.Comparison.Folders;

/// <summary>
/// A few random experts of every shape, of which files are filled: each expert of the file is a copy of one of them in
/// memory of its own, so that the same bytes have to be read as if all were different.
/// </summary>
/// <param name="storage">How the experts are stored.</param>
internal sealed class ExpertPool(WeightStorage storage) : IDisposable
{
    private const int Variants = 3;

    private readonly Dictionary<(int Rows, int Columns, float Gain), PackedWeight[]> _weights = [];
    private readonly RandomWeights _random = new(2);
    private int _next;

    /// <summary>One of the experts of a shape, in turn. Belongs to the pool.</summary>
    public PackedArrays Next(LinearShape linear)
    {
        if (!_weights.TryGetValue((linear.Rows, linear.Columns, linear.Gain), out PackedWeight[]? weights))
        {
            weights = [.. Enumerable.Range(0, Variants).Select(_ => RandomExpert.Create(linear, storage, _random))];
            _weights.Add((linear.Rows, linear.Columns, linear.Gain), weights);
        }

        return weights[_next++ % Variants].Arrays;
    }

    public void Dispose()
    {
        foreach (PackedWeight weight in _weights.Values.SelectMany(weights => weights))
        {
            weight.Dispose();
        }
    }
}
