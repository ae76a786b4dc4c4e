using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Models.Configuration;

/// <summary>The files of a dense checkpoint: one, or shards.</summary>
internal static class CheckpointShards
{
    /// <summary>Name of the file of a checkpoint that is not divided.</summary>
    public const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    /// <summary>Buffers that older checkpoints store although the model recomputes them.</summary>
    private static readonly string[] s_recomputedSuffixes =
        [".rotary_emb.inv_freq", ".attention.bias", ".attention.masked_bias", ".attn.bias", ".attn.masked_bias"];

    /// <summary>True for tensors that no model needs.</summary>
    public static bool IsRecomputed(string name) =>
        s_recomputedSuffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>The files, each with the names that the index expects in it (null: there is no index).</summary>
    /// <exception cref="CheckpointException">There are none, or the index is malformed.</exception>
    public static IEnumerable<(string File, HashSet<string>? Names)> Files(string folder)
    {
        if (Path.Exists(Path.Combine(folder, SingleFile)))
        {
            return [(SingleFile, null)];
        }

        string index = Path.Combine(folder, IndexFile);
        return Path.Exists(index)
            ? ReadIndex(index)
            : throw new CheckpointException(
                $"{folder}: has neither {SingleFile} nor {IndexFile}; other formats, such as pytorch_model.bin, must be converted to safetensors.");
    }

    /// <summary>Checks that a file holds the tensors that the index expects in it.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="entries">Its tensors.</param>
    /// <param name="names">What the index expects; null: there is no index.</param>
    /// <exception cref="CheckpointException">The names differ.</exception>
    public static void RequireSame(
        string path, IReadOnlyDictionary<string, SafetensorsEntry> entries, HashSet<string>? names)
    {
        if (names is not null && !names.SetEquals(entries.Keys))
        {
            IEnumerable<string> different = names.Except(entries.Keys).Concat(entries.Keys.Except(names));
            throw new CheckpointException(
                $"{path}: its tensors are not those of {IndexFile}: {string.Join(", ", different.Order(StringComparer.Ordinal).Take(10))}.");
        }
    }

    private static IEnumerable<(string File, HashSet<string>? Names)> ReadIndex(string path)
    {
        ConfigObject index = new(JsonFile.ReadObject(path), path);
        ConfigObject map = index.Object("weight_map") ?? throw index.Error("weight_map", "is missing");
        var shards = new SortedDictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (string name in map.Keys)
        {
            string file = map.OptionalString(name) ?? throw map.Error(name, "must be a file name");
            // A shard is a plain name: an index must not reach for files outside of its folder.
            if (file.Length == 0 || file is "." or ".." || file.AsSpan().ContainsAny("/\\:\0"))
            {
                throw map.Error(name, $"names '{file}', which is not a file name in the same folder");
            }

            shards.TryAdd(file, new HashSet<string>(StringComparer.Ordinal));
            shards[file].Add(name);
        }

        return shards.Select(shard => (shard.Key, (HashSet<string>?)shard.Value));
    }
}
