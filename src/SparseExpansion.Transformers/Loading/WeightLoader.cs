using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Copies tensors into a model, strictly: every one has its place and every place is filled.</summary>
internal static class WeightLoader
{
    private const int NamesShown = 10;

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
        foreach ((string name, Tensor value) in weights)
        {
            if (!given.Add(name))
            {
                throw new CheckpointException($"{source}: the tensor '{name}' occurs twice.");
            }

            string place = Place(model, name);
            if (!targets.TryGetValue(place, out Tensor? target))
            {
                unexpected.Add(name);
                continue;
            }

            RequireFit(name, value, target, source);
            if (loaded.Add(place))
            {
                Fill(target, value, scratchFolder);
            }
            else
            {
                RequireEqual(name, place, value, target, source);
            }
        }

        Report(source, "has unexpected tensors", unexpected);
        Report(source, "lacks tensors", targets.Keys.Where(name => !loaded.Contains(name)));
    }

    private static void Fill(Tensor target, Tensor value, string? scratchFolder)
    {
        if (scratchFolder is null)
        {
            target.copy_(value);
            return;
        }

        if (value.dtype == target.dtype)
        {
            target.set_(value);
            return;
        }

        using Tensor converted = value.to(target.dtype);
        using Tensor mapped = ScratchTensor.Create(converted, scratchFolder);
        target.set_(mapped);
    }

    /// <summary>With tied embeddings the head's name means the embedding's matrix.</summary>
    private static string Place(CausalLanguageModel model, string name) =>
        model.Config.TieWordEmbeddings && name == model.TiedNames.Head ? model.TiedNames.Embedding : name;

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

    private static void RequireEqual(string name, string place, Tensor value, Tensor target, string source)
    {
        using var scope = NewDisposeScope();
        if (!target.equal(value.to(target.dtype).to(target.device)).all().item<bool>())
        {
            throw new CheckpointException(
                $"{source}: tie_word_embeddings is true, but '{name}' differs from the tensor already loaded as '{place}'.");
        }
    }

    private static void Report(string source, string what, IEnumerable<string> names)
    {
        string[] ordered = [.. names.Order(StringComparer.Ordinal)];
        if (ordered.Length > 0)
        {
            string more = ordered.Length > NamesShown ? $" and {ordered.Length - NamesShown} more" : "";
            throw new CheckpointException($"{source}: {what}: {string.Join(", ", ordered.Take(NamesShown))}{more}.");
        }
    }
}
