using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

/// <summary>The tensors of a checkpoint folder, in one file or in shards.</summary>
internal static class CheckpointTensors
{
    /// <summary>Name of the file of a checkpoint that is not divided.</summary>
    public const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    /// <summary>Buffers that older checkpoints store although the model recomputes them.</summary>
    private static readonly string[] RecomputedSuffixes =
        [".rotary_emb.inv_freq", ".attention.bias", ".attention.masked_bias", ".attn.bias", ".attn.masked_bias"];

    /// <summary>Reads one tensor after the other; each lives until the next is asked for.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="map">True: the tensors lie in the files.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Read(string folder, bool map = false)
    {
        foreach ((string file, HashSet<string>? names) in Files(folder))
        {
            using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(folder, file));
            RequireSame(reader, names);
            foreach (SafetensorsEntry entry in reader.Entries.Values.OrderBy(entry => entry.Offset))
            {
                if (!RecomputedSuffixes.Any(suffix => entry.Name.EndsWith(suffix, StringComparison.Ordinal)))
                {
                    using Tensor tensor = map ? reader.Map(entry.Name) : reader.Read(entry.Name);
                    yield return KeyValuePair.Create(entry.Name, tensor);
                }
            }
        }
    }

    /// <summary>The tensors' descriptions by name.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static Dictionary<string, SafetensorsEntry> List(string folder)
    {
        var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        foreach ((string file, HashSet<string>? names) in Files(folder))
        {
            using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(folder, file));
            RequireSame(reader, names);
            foreach ((string name, SafetensorsEntry entry) in reader.Entries)
            {
                entries.Add(name, entry);
            }
        }

        return entries;
    }

    /// <summary>The files, each with the names that the index expects in it (null: there is no index).</summary>
    private static IEnumerable<(string File, HashSet<string>? Names)> Files(string folder)
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

    private static void RequireSame(SafetensorsReader reader, HashSet<string>? names)
    {
        if (names is not null && !names.SetEquals(reader.Entries.Keys))
        {
            IEnumerable<string> different = names.Except(reader.Entries.Keys).Concat(reader.Entries.Keys.Except(names));
            throw new CheckpointException(
                $"{reader.FilePath}: its tensors are not those of {IndexFile}: {string.Join(", ", different.Order(StringComparer.Ordinal).Take(10))}.");
        }
    }
}
