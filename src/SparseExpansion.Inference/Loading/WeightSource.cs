using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Inference.Loading;

/// <summary>Tensors of a model by the names of its parameters, strictly: every one that is there must be asked for.</summary>
/// <param name="files">The files.</param>
/// <param name="config">The architecture.</param>
/// <param name="isDense">True for checkpoints as they are published, which may leave out the first part of names and
/// store weights transposed.</param>
internal sealed unsafe class WeightSource(TensorFiles files, ModelConfig config, bool isDense)
{
    private const int NamesShown = 10;
    private readonly ModuleNames _names = ModelFamilies.Of(config.ModelType).Names;

    /// <summary>A vector in float32.</summary>
    /// <exception cref="CheckpointException">It is missing, or has another shape or type.</exception>
    public NativeArray Vector(string name, params ReadOnlySpan<long> shape) =>
        FloatNumbers.Copy(Floating(name, shape));

    /// <summary>A small vector in float32.</summary>
    /// <exception cref="CheckpointException">It is missing, or has another shape or type.</exception>
    public float[] Numbers(string name, params ReadOnlySpan<long> shape)
    {
        using NativeArray numbers = Vector(name, shape);
        return numbers.Span<float>(0, checked((int)numbers.Length)).ToArray();
    }

    /// <summary>A matrix as it is multiplied: where it lies in the file, unless it is float64 or stored transposed.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <exception cref="CheckpointException">It is missing, or has another shape or type.</exception>
    public NativeArray Matrix(string name, int rows, int columns)
    {
        bool isTransposed = isDense && _names.IsTransposed(name);
        NativeArray stored = isTransposed ? Floating(name, columns, rows) : Floating(name, rows, columns);
        if (isTransposed)
        {
            using NativeArray turning = stored;
            stored = FloatNumbers.Transpose(turning, columns, rows);
        }

        if (stored.Type != ElementType.Float64)
        {
            return stored;
        }

        using NativeArray wide = stored;
        return FloatNumbers.Copy(wide);
    }

    /// <summary>Checks that no tensor is left but repetitions of others.</summary>
    /// <exception cref="CheckpointException">There is another one, or a repetition differs.</exception>
    public void RequireNothingLeft()
    {
        List<string> unexpected = [];
        foreach (string name in files.Left.ToArray())
        {
            if (isDense && CheckpointShards.IsRecomputed(name))
            {
                continue;
            }

            string place = isDense && config.TieWordEmbeddings && name == _names.HeadWeight
                ? _names.EmbeddingWeight
                : _names.Prefix + name;
            if (isDense && (Source(place) is { } other))
            {
                RequireEqual(name, other);
            }
            else
            {
                unexpected.Add(name);
            }
        }

        if (unexpected.Count > 0)
        {
            string more = unexpected.Count > NamesShown ? $" and {unexpected.Count - NamesShown} more" : "";
            throw new CheckpointException(
                $"{files.FileOf(unexpected[0])}: has unexpected tensors: {string.Join(", ", unexpected.Take(NamesShown))}{more}.");
        }
    }

    private NativeArray Floating(string name, params ReadOnlySpan<long> shape)
    {
        string stored = Stored(name);
        NativeArray array = files.Take(stored, shape);
        return FloatNumbers.IsFloating(array.Type)
            ? array
            : throw new CheckpointException(
                $"{files.FileOf(stored)}: the tensor '{stored}' is {array.Type}; the model needs float32, bfloat16 or float16.");
    }

    /// <summary>
    /// The name in the file: files of a model without its head leave the first part of names out, and tied embeddings
    /// may be stored as the head.
    /// </summary>
    private string Stored(string name)
    {
        if (!isDense || files.Has(name))
        {
            return name;
        }

        if (name.StartsWith(_names.Prefix, StringComparison.Ordinal) && files.Has(name[_names.Prefix.Length..]))
        {
            return name[_names.Prefix.Length..];
        }

        return config.TieWordEmbeddings && name == _names.EmbeddingWeight && files.Has(_names.HeadWeight)
            ? _names.HeadWeight
            : name;
    }

    /// <summary>The tensor that a parameter was made of; null if there is no such parameter.</summary>
    private string? Source(string place) => files.IsTaken(Stored(place)) ? Stored(place) : null;

    private void RequireEqual(string name, string other)
    {
        NativeArray first = files.Take(name), second = files.Take(other);
        SafetensorsEntry left = files.Entry(name), right = files.Entry(other);
        bool isEqual = left.DType == right.DType && left.Shape.SequenceEqual(right.Shape);
        for (long done = 0; isEqual && done < first.ByteLength; done += int.MaxValue)
        {
            int count = (int)Math.Min(int.MaxValue, first.ByteLength - done);
            isEqual = new ReadOnlySpan<byte>(first.Pointer + done, count)
                .SequenceEqual(new ReadOnlySpan<byte>(second.Pointer + done, count));
        }

        if (!isEqual)
        {
            throw new CheckpointException(config.TieWordEmbeddings && name == _names.HeadWeight
                ? $"{files.FileOf(name)}: tie_word_embeddings is true, but '{name}' differs from the tensor '{other}'."
                : $"{files.FileOf(name)}: the tensor '{name}' differs from '{other}', which also stands for the same parameter; keep one of them.");
        }
    }
}
