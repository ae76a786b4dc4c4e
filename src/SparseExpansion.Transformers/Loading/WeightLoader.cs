using SparseExpansion.Models.Configuration;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

/// <summary>Copies tensors into a model, strictly: every one has its place and every place is filled.</summary>
internal static class WeightLoader
{
    /// <param name="model">The model to fill.</param>
    /// <param name="weights">The tensors; each lives until the next is asked for.</param>
    /// <param name="source">Their origin, for messages.</param>
    /// <param name="scratchFolder"> Null: values are copied. Otherwise the model takes over the memory of the tensors,
    /// and of converted ones in files of this folder.
    /// </param>
    public static void Load(
        CausalLanguageModel model, IEnumerable<KeyValuePair<string, Tensor>> weights, string source,
        string? scratchFolder = null)
    {
        Dictionary<string, Tensor> targets = model.state_dict();
        var loaded = new HashSet<string>(StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        var unexpected = new List<string>();
        using var noGrad = no_grad();
        foreach ((string name, Tensor stored) in weights)
        {
            if (!given.Add(name))
            {
                throw new CheckpointException($"{source}: the tensor '{name}' occurs twice.");
            }

            string place = Place(model, name, targets);
            using Tensor? turned = model.Names.IsTransposed(place) ? Turn(stored) : null;
            Tensor value = turned ?? stored;
            if (!targets.TryGetValue(place, out Tensor? target))
            {
                unexpected.Add(name);
                continue;
            }

            RequireFit(name, value, target, source);
            if (loaded.Add(place))
            {
                Fill(target, value, turned is null, scratchFolder);
            }
            else
            {
                bool isTied = model.Config.TieWordEmbeddings && place == model.Names.EmbeddingWeight;
                RequireEqual(name, place, isTied, value, target, source);
            }
        }

        Report(source, "has unexpected tensors", unexpected);
        Report(source, "lacks tensors", targets.Keys.Where(name => !loaded.Contains(name)));
    }

    /// <summary>The transpose of a matrix, in memory of its own; null for tensors that are none.</summary>
    private static Tensor? Turn(Tensor stored)
    {
        using var scope = NewDisposeScope();
        return stored.Dimensions == 2 ? stored.t().contiguous().MoveToOuterDisposeScope() : null;
    }

    /// <param name="target">A parameter.</param>
    /// <param name="value">Its value.</param>
    /// <param name="isMapped">True if the value lies in a file, where it can stay.</param>
    /// <param name="scratchFolder">See <see cref="Load"/>.</param>
    private static void Fill(Tensor target, Tensor value, bool isMapped, string? scratchFolder)
    {
        if (scratchFolder is null)
        {
            target.copy_(value);
            return;
        }

        using var scope = NewDisposeScope(); // For the handle that set_ gives back.
        if (isMapped && value.dtype == target.dtype)
        {
            target.set_(value);
            return;
        }

        using Tensor converted = value.to(target.dtype);
        using Tensor mapped = ScratchTensor.Create(converted, scratchFolder);
        target.set_(mapped);
    }

    /// <summary>
    /// The parameter that a tensor fills. With tied embeddings the head's name means the embedding's matrix; files of a
    /// model without its head leave the first part of the names out.
    /// </summary>
    private static string Place(CausalLanguageModel model, string name, Dictionary<string, Tensor> targets)
    {
        if (model.Config.TieWordEmbeddings && name == model.Names.HeadWeight)
        {
            return model.Names.EmbeddingWeight;
        }

        string prefixed = model.Names.Prefix + name;
        return !targets.ContainsKey(name) && targets.ContainsKey(prefixed) ? prefixed : name;
    }

    private static void RequireFit(string name, Tensor value, Tensor target, string source)
    {
        if (!value.shape.AsSpan().SequenceEqual(target.shape))
        {
            throw new CheckpointException(
                $"{source}: the tensor '{name}' has the shape [{string.Join(", ", value.shape)}]; the model needs [{string.Join(", ", target.shape)}].");
        }

        bool convertible = value.is_floating_point() && target.is_floating_point();
        if (!convertible && value.dtype != target.dtype)
        {
            throw new CheckpointException(
                $"{source}: the tensor '{name}' is {value.dtype}; the model needs {target.dtype}.");
        }
    }

    private static void RequireEqual(
        string name, string place, bool isTied, Tensor value, Tensor target, string source)
    {
        using var scope = NewDisposeScope();
        if (!target.equal(value.to(target.dtype).to(target.device)).all().item<bool>())
        {
            throw new CheckpointException(isTied
                ? $"{source}: tie_word_embeddings is true, but '{name}' differs from the tensor already loaded as '{place}'."
                : $"{source}: the tensor '{name}' differs from another one that also stands for '{place}'; keep one of them.");
        }
    }

    private static void Report(string source, string what, IEnumerable<string> names)
    {
        string[] ordered = [.. names.Order(StringComparer.Ordinal)];
        if (ordered.Length > 0)
        {
            throw new CheckpointException($"{source}: {what}: {NameList.Of(ordered)}.");
        }
    }
}
