using System.Text;

namespace SparseExpansion.Comparison.Gguf;

/// <summary>Keys and values at the beginning of a GGUF file, as bytes.</summary>
internal sealed class GgufMetadata : IDisposable
{
    private const uint UInt32Type = 4, Int32Type = 5, SingleType = 6, StringType = 8, ArrayType = 9;

    private readonly MemoryStream _bytes = new();
    private readonly BinaryWriter _writer;

    public GgufMetadata() => _writer = new BinaryWriter(_bytes);

    /// <summary>Number of keys.</summary>
    public int Count { get; private set; }

    /// <summary>Content of the file.</summary>
    public byte[] ToArray() => _bytes.ToArray();

    public void Add(string key, uint value)
    {
        Begin(key, UInt32Type);
        _writer.Write(value);
    }

    public void Add(string key, float value)
    {
        Begin(key, SingleType);
        _writer.Write(value);
    }

    public void Add(string key, string value)
    {
        Begin(key, StringType);
        WriteText(_writer, value);
    }

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        BeginArray(key, StringType, values.Count);
        foreach (string value in values)
        {
            WriteText(_writer, value);
        }
    }

    public void Add(string key, IReadOnlyCollection<float> values)
    {
        BeginArray(key, SingleType, values.Count);
        foreach (float value in values)
        {
            _writer.Write(value);
        }
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        BeginArray(key, Int32Type, values.Count);
        foreach (int value in values)
        {
            _writer.Write(value);
        }
    }

    /// <summary>A text as the format has it: its length in bytes, then UTF-8.</summary>
    public static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    public void Dispose() => _writer.Dispose();

    private void Begin(string key, uint type)
    {
        WriteText(_writer, key);
        _writer.Write(type);
        Count++;
    }

    private void BeginArray(string key, uint type, int count)
    {
        Begin(key, ArrayType);
        _writer.Write(type);
        _writer.Write((ulong)count);
    }
}
