using SparseExpansion.Execution;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Makes parts of tensors that a <see cref="PartSurvey"/> has found to fit. Disposing it disposes them.</summary>
/// <param name="weights">Dense weights.</param>
/// <param name="mixtures">Mixtures and weights in codes; null: the folder is dense.</param>
internal sealed class PartReader(WeightSource weights, MixtureSource? mixtures) : IPartSource, IDisposable
{
    private readonly List<IDisposable> _made = [];

    /// <summary>The layers that were made whose weights may be in codes.</summary>
    public IEnumerable<ICodedLinear> Coded => _made.OfType<ICodedLinear>();

    /// <inheritdoc/>
    public Linear Linear(string path, int rows, int columns, bool bias) =>
        mixtures?.TakeMixture(path) is { } mixture ? Made(mixture) : Matrix(path, rows, columns, bias);

    /// <inheritdoc/>
    public MatrixLinear Matrix(string path, int rows, int columns, bool bias)
    {
        QuantizedWeight? codes = mixtures?.TakeQuantized(path);
        NativeArray? addend = bias ? weights.Vector($"{path}.bias") : null;
        return codes is not null ? Made(new QuantizedLinear(codes, addend)) : Dense(path, rows, columns, addend);
    }

    /// <inheritdoc/>
    public MatrixLinear Dense(string path, int rows, int columns) => Dense(path, rows, columns, null);

    /// <inheritdoc/>
    public float[] Numbers(string name, int size)
    {
        using NativeArray numbers = weights.Vector(name);
        return numbers.Span<float>(0, size).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _made.ForEach(part => part.Dispose());
        foreach (TokenRouter router in mixtures?.Routers ?? [])
        {
            router.Dispose();
        }
    }

    private DenseLinear Dense(string path, int rows, int columns, NativeArray? bias) =>
        Made(new DenseLinear(weights.Matrix($"{path}.weight", rows, columns), bias, columns, rows));

    private T Made<T>(T part)
        where T : IDisposable
    {
        _made.Add(part);
        return part;
    }
}
