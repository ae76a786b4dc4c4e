using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Inference.Loading;

/// <summary>
/// Tensors of a model by the names of its parameters, strictly: every one that is there must be asked for. They are
/// checked before any is taken.
/// </summary>
/// <param name="files">The files.</param>
/// <param name="config">The architecture.</param>
/// <param name="home">The file or folder of the weights, for messages.</param>
/// <param name="isDense">True for checkpoints as they are published, which may leave out the first part of names and
/// store weights transposed.</param>
internal sealed unsafe class WeightSource(TensorFiles files, ModelConfig config, string home, bool isDense)
{
    private readonly ModuleNames _names = ModelFamilies.Of(config.ModelType).Names;

    /// <summary>Notes what is wrong with a vector.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="size">Its length.</param>
    /// <param name="faults">Receives the faults.</param>
    public void CheckVector(string name, long size, TensorFaults faults) =>
        faults.Check(TensorNeed.Floating(Stored(name), size), home);

    /// <summary>Notes what is wrong with a matrix.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="faults">Receives the faults.</param>
    public void CheckMatrix(string name, long rows, long columns, TensorFaults faults) => faults.Check(
        IsTransposed(name)
            ? TensorNeed.Floating(Stored(name), columns, rows)
            : TensorNeed.Floating(Stored(name), rows, columns),
        home);

    /// <summary>A vector in float32.</summary>
    public NativeArray Vector(string name)
    {
        using NativeArray stored = files.Take(Stored(name));
        return FloatNumbers.Copy(stored);
    }

    /// <summary>A matrix as it is multiplied: where it lies in the file, unless it is float64 or stored transposed.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    public NativeArray Matrix(string name, int rows, int columns)
    {
        NativeArray stored = files.Take(Stored(name));
        if (IsTransposed(name))
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
            throw new CheckpointException(
                $"{files.FileOf(unexpected[0])}: has unexpected tensors: {NameList.Of(unexpected)}.");
        }
    }

    private bool IsTransposed(string name) => isDense && _names.IsTransposed(name);

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
        using NativeArray first = files.Take(name), second = files.Take(other);
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
