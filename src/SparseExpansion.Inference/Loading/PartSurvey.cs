using SparseExpansion.Execution;
using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Loading;

/// <summary>
/// Notes what is wrong with the tensors that the parts of a decoder would be made of. Reads headers alone, and gives
/// empty parts.
/// </summary>
/// <param name="weights">Dense weights.</param>
/// <param name="mixtures">Mixtures and weights in codes; null: the folder is dense.</param>
/// <param name="faults">Receives the faults.</param>
internal sealed class PartSurvey(WeightSource weights, MixtureSource? mixtures, TensorFaults faults) : IPartSource
{
    /// <inheritdoc/>
    public Linear Linear(string path, int rows, int columns, bool bias) =>
        mixtures?.CheckMixture(path, rows, columns, bias, faults) == true
            ? Empty(rows, columns)
            : Matrix(path, rows, columns, bias);

    /// <inheritdoc/>
    public MatrixLinear Matrix(string path, int rows, int columns, bool bias)
    {
        if (mixtures?.CheckQuantized(path, rows, columns, faults) != true)
        {
            Dense(path, rows, columns);
        }

        if (bias)
        {
            weights.CheckVector($"{path}.bias", rows, faults);
        }

        return Empty(rows, columns);
    }

    /// <inheritdoc/>
    public MatrixLinear Dense(string path, int rows, int columns)
    {
        weights.CheckMatrix($"{path}.weight", rows, columns, faults);
        return Empty(rows, columns);
    }

    /// <inheritdoc/>
    public float[] Numbers(string name, int size)
    {
        weights.CheckVector(name, size, faults);
        return [];
    }

    private static DenseLinear Empty(int rows, int columns) =>
        new(new NativeArray(0, 0, ElementType.Float32, null), null, columns, rows);
}
