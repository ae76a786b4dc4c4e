using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

/// <summary>The tensors of a checkpoint folder, in one file or in shards.</summary>
internal static class CheckpointTensors
{
    /// <summary>Reads one tensor after the other; each lives until the next is asked for.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="map">True: the tensors lie in the files.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Read(string folder, bool map = false)
    {
        foreach ((string file, HashSet<string>? names) in CheckpointShards.Files(folder))
        {
            using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(folder, file));
            CheckpointShards.RequireSame(reader.FilePath, reader.Entries, names);
            foreach (SafetensorsEntry entry in reader.Entries.Values.OrderBy(entry => entry.Offset))
            {
                if (!CheckpointShards.IsRecomputed(entry.Name))
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
        foreach ((string file, HashSet<string>? names) in CheckpointShards.Files(folder))
        {
            using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(folder, file));
            CheckpointShards.RequireSame(reader.FilePath, reader.Entries, names);
            foreach ((string name, SafetensorsEntry entry) in reader.Entries)
            {
                entries.Add(name, entry);
            }
        }

        return entries;
    }
}
