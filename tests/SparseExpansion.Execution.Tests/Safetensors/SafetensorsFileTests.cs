using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Safetensors;

/// <summary>
/// Files written and read as bytes. What is refused, and how tensors come and go, is tested with the readers of
/// tensors.
/// </summary>
public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    private string FileName => Path.Combine(_folder, "file.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_WrittenFile_HoldsTheSameBytes()
    {
        float[] values = [1, -2, 3.5f, 4, 5, 6];
        SafetensorsFileWriter.Write(
            FileName,
            [
                SafetensorsContent.Of<byte>("flags", ElementType.Bool, [3], new byte[] { 1, 0, 1 }),
                SafetensorsContent.Of<float>("values", ElementType.Float32, [2, 3], values),
                SafetensorsContent.Of<long>("nothing", ElementType.Int64, [0, 4], ReadOnlyMemory<long>.Empty),
            ],
            new Dictionary<string, string> { ["a"] = "b" });
        using SafetensorsFile file = SafetensorsFile.Open(FileName);

        Assert.Equal(["flags", "nothing", "values"], file.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("b", file.Metadata["a"]);
        SafetensorsEntry entry = file.Entry("values");
        Assert.Equal((ElementType.Float32, 24L, 0L), (entry.DType, entry.ByteLength, entry.Offset % 64));
        Assert.Equal(values, MemoryMarshal.Cast<byte, float>(file.Bytes(entry, 0, 24)).ToArray());
        Assert.Equal([1, 0, 1], file.Bytes(file.Entry("flags"), 0, 3).ToArray());
        Assert.Equal(0, file.Bytes(file.Entry("nothing"), 0, 0).Length);
    }

    [Fact]
    public void Bytes_OutsideOfTheTensor_IsRefused()
    {
        SafetensorsFileWriter.Write(FileName, [SafetensorsContent.Of<byte>("x", ElementType.Byte, [3], new byte[3])]);
        SafetensorsFile file = SafetensorsFile.Open(FileName);
        SafetensorsEntry entry = file.Entry("x");

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(entry, 1, 3).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(entry, -1, 1).Length);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes(entry, 0, 1).Length);
        Assert.Throws<ObjectDisposedException>(() => file.Entry("x"));
    }

    [Fact]
    public void Read_PartsOfATensor_GivesTheBytesOfTheFile()
    {
        byte[] values = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7 >> 3))];
        SafetensorsFileWriter.Write(
            FileName,
            [
                SafetensorsContent.Of<byte>("x", ElementType.Byte, [values.Length], values),
                SafetensorsContent.Of<byte>("nothing", ElementType.Byte, [0], ReadOnlyMemory<byte>.Empty),
            ]);
        using SafetensorsFile file = SafetensorsFile.Open(FileName);
        var all = new byte[values.Length];
        var some = new byte[70_000];

        file.Read(file.Entry("x"), 0, all);
        file.Read(file.Entry("x"), 120_001, some);
        file.Read(file.Entry("nothing"), 0, []);

        Assert.Equal(values, all);
        Assert.Equal(values[120_001..190_001], some);
    }

    [Fact]
    public void Read_OutsideOfTheTensor_IsRefused()
    {
        SafetensorsFileWriter.Write(FileName, [SafetensorsContent.Of<byte>("x", ElementType.Byte, [3], new byte[3])]);
        SafetensorsFile file = SafetensorsFile.Open(FileName);
        SafetensorsEntry entry = file.Entry("x");

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(entry, 1, new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(entry, -1, new byte[1]));
        Assert.Throws<ArgumentException>("entry", () => file.Read(entry with { Offset = 0 }, 0, new byte[1]));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Read(entry, 0, new byte[1]));
    }

    [Fact]
    public void Read_FileThatHasBecomeShorter_IsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not let an open file be changed.");
        SafetensorsFileWriter.Write(
            FileName, [SafetensorsContent.Of<byte>("x", ElementType.Byte, [300_000], new byte[300_000])]);
        using SafetensorsFile file = SafetensorsFile.Open(FileName);
        SafetensorsEntry entry = file.Entry("x");
        using (var shortened = new FileStream(FileName, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            shortened.SetLength(entry.Offset + 100_000);
        }

        string message =
            Assert.Throws<CheckpointException>(() => file.Read(entry, 0, new byte[300_000])).Message;

        Assert.Equal(
            $"{FileName}: ends at byte {entry.Offset + 100_000} of {entry.Offset + 300_000}; it must not be changed while "
            + "it is read. Restore the file and load it again.",
            message);
    }

    [Fact]
    public void Read_BoolsThatAreNone_IsRefused()
    {
        SafetensorsFileWriter.Write(
            FileName, [SafetensorsContent.Of<byte>("x", ElementType.Bool, [3], new byte[] { 1, 2, 0 })]);
        using SafetensorsFile file = SafetensorsFile.Open(FileName);

        string message = Assert.Throws<CheckpointException>(() => file.Read(file.Entry("x"), 0, new byte[3])).Message;

        Assert.Contains("'x' of dtype BOOL", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_EntryOfAnotherFile_IsRefused()
    {
        string other = Path.Combine(_folder, "other.safetensors");
        SafetensorsFileWriter.Write(FileName, [SafetensorsContent.Of<byte>("x", ElementType.Byte, [3], new byte[3])]);
        SafetensorsFileWriter.Write(
            other,
            [
                SafetensorsContent.Of<byte>("x", ElementType.Byte, [1 << 20], new byte[1 << 20]),
                SafetensorsContent.Of<byte>("y", ElementType.Byte, [1], new byte[1]),
            ]);
        using SafetensorsFile file = SafetensorsFile.Open(FileName), large = SafetensorsFile.Open(other);
        SafetensorsEntry made = file.Entry("x") with { Offset = 1L << 40 };

        foreach (SafetensorsEntry foreign in (SafetensorsEntry[])[large.Entry("x"), large.Entry("y"), made])
        {
            string message =
                Assert.Throws<ArgumentException>("entry", () => file.Bytes(foreign, 0, 1).Length).Message;
            Assert.StartsWith($"{FileName}: the entry of tensor '{foreign.Name}' is not of this file", message);
        }
    }

    [Fact]
    public void ByteLength_Beyond2GiB_CountsIn64Bits() =>
        Assert.Equal(
            1L << 37, new SafetensorsContent("x", ElementType.Float64, [1L << 20, 1L << 14], _ => { }).ByteLength);

    [Fact]
    public void Write_FewerBytesThanTheShapeSays_LeavesNoFile()
    {
        SafetensorsContent shortened = SafetensorsContent.Of<float>("x", ElementType.Float32, [4], new float[3]);

        string message =
            Assert.Throws<InvalidOperationException>(() => SafetensorsFileWriter.Write(FileName, [shortened])).Message;

        Assert.Equal("The parts of tensor 'x' are not its 16 bytes.", message);
        Assert.Empty(Directory.GetFiles(_folder));
    }
}
