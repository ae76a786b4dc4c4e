using System.Text.Json;

namespace SparseExpansion.Benchmarks.Accuracy;

/// <summary>Measured perplexities, kept in a file so that a table can be made in several runs.</summary>
public sealed class AccuracyCells
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly SortedDictionary<string, double> _cells;
    private readonly string? _file;

    /// <param name="file">Read if it exists, written after every cell; null: nothing is kept.</param>
    public AccuracyCells(string? file)
    {
        _file = file;
        _cells = file is not null && File.Exists(file)
            ? JsonSerializer.Deserialize<SortedDictionary<string, double>>(File.ReadAllText(file))!
            : [];
    }

    /// <summary>A perplexity, if it was measured.</summary>
    public double? this[string row, string column] =>
        _cells.TryGetValue(Key(row, column), out double value) ? value : null;

    /// <summary>Adds a perplexity.</summary>
    public void Add(string row, string column, double perplexity)
    {
        _cells[Key(row, column)] = perplexity;
        if (_file is not null)
        {
            File.WriteAllText(_file, JsonSerializer.Serialize(_cells, s_json) + "\n");
        }
    }

    private static string Key(string row, string column) => $"{row} @ {column}";
}
