using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Inference.Loading;

/// <summary>Everything that keeps files from being loaded, so that one message says it all.</summary>
/// <param name="files">The files.</param>
internal sealed class TensorFaults(TensorFiles files)
{
    private const int Shown = 100;
    private readonly SortedDictionary<string, SortedSet<string>> _missing = new(StringComparer.Ordinal);
    private readonly List<string> _others = [];
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);

    /// <summary>Notes a fault of another kind; said twice, it counts once.</summary>
    /// <param name="sentence">Names the file.</param>
    public void Add(string sentence)
    {
        if (_said.Add(sentence))
        {
            _others.Add(sentence);
        }
    }

    /// <summary>Holds a tensor against what is needed.</summary>
    /// <param name="need">The tensor.</param>
    /// <param name="home">The file or folder that should hold it, for messages.</param>
    public void Check(TensorNeed need, string home)
    {
        if (!files.Has(need.Name))
        {
            if (!_missing.TryGetValue(home, out SortedSet<string>? names))
            {
                _missing.Add(home, names = new SortedSet<string>(StringComparer.Ordinal));
            }

            names.Add(need.Name);
            return;
        }

        SafetensorsEntry entry = files.Entry(need.Name);
        if (need.Shape is { } shape && !entry.Shape.SequenceEqual(shape))
        {
            Add($"{files.FileOf(need.Name)}: the tensor '{need.Name}' has the shape [{string.Join(", ", entry.Shape)}]; the model needs [{string.Join(", ", shape)}].");
        }

        if (!need.Types.Contains(entry.DType))
        {
            Add($"{files.FileOf(need.Name)}: the tensor '{need.Name}' is {entry.DType}; the model needs {string.Join(" or ", need.Types)}.");
        }
    }

    /// <summary>Checks that there are none.</summary>
    /// <exception cref="CheckpointException">There are some; the message names all of them up to some hundred.</exception>
    public void RequireNone()
    {
        string[] sentences =
        [
            .. _missing.Select(file => $"{file.Key}: lacks tensors: {NameList.Of(file.Value, Shown)}."),
            .. _others.Take(Shown),
        ];
        if (sentences.Length > 0)
        {
            string more = _others.Count > Shown ? $" There are {_others.Count - Shown} more such faults." : "";
            throw new CheckpointException(string.Join(" ", sentences) + more);
        }
    }
}
