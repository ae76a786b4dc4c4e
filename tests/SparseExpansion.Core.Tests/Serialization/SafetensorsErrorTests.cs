using System.Buffers.Binary;
using System.Text;
using CsCheck;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

public sealed class SafetensorsErrorTests : IDisposable
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_GoodHeader_Succeeds()
    {
        using SafetensorsReader reader = SafetensorsReader.Open(MakeFile(Good + "   ", new byte[9]));
        Assert.Equal(2, reader.Entries.Count);
        using Tensor b = reader.Read("b");
        Assert.Empty(b.shape);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "end of the file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "at least 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "at least 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "does not fill")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""", 8, "end of the file")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}""", 8, "starts beyond")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8, "F8_E4M3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""", 16, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "needs dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "'x'")]
    [InlineData("""{"a":[]}""", 0, "object")]
    [InlineData("""{"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}}""", 8, "string")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "string")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "twice")]
    [InlineData("""{} {}""", 0, "JSON")]
    [InlineData("""{"a":""", 0, "JSON")]
    [InlineData("""[]""", 0, "object")]
    public void Open_BadHeader_NamesFileAndFault(string header, int dataBytes, string fault)
    {
        string path = MakeFile(header, new byte[dataBytes]);
        CheckpointException error = Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(path).Dispose());
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(fault, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(1000UL)]
    [InlineData(100_000_001UL)]
    [InlineData(0x8000_0000_0000_0000UL)]
    [InlineData(ulong.MaxValue)]
    public void Open_HeaderLengthLies_Throws(ulong length)
    {
        byte[] bytes = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(_folder.File("lie"), bytes);
        Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(_folder.File("lie")).Dispose());
    }

    [Fact]
    public void Open_MissingEmptyOrFolder_Throws()
    {
        File.WriteAllBytes(_folder.File("empty"), []);
        Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(_folder.File("missing")));
        Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(_folder.File("empty")));
        Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(_folder.Path));
    }

    [Fact]
    public void Open_MoreDimensionsThanTorchHas_Throws()
    {
        string ones = string.Join(",", Enumerable.Repeat("1", 65));
        string path = MakeFile("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + ones + "],\"data_offsets\":[0,1]}}", new byte[1]);
        Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(path));
    }

    [Fact]
    public void Read_UnknownNameOrBadBool_Throws()
    {
        using SafetensorsReader reader = SafetensorsReader.Open(
            MakeFile("""{"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}""", [2]));
        Assert.Contains("'x'", Assert.Throws<CheckpointException>(() => reader.Read("x")).Message, StringComparison.Ordinal);
        Assert.Contains("'flag'", Assert.Throws<CheckpointException>(() => reader.Read("flag")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AfterDispose_Throws()
    {
        SafetensorsReader reader = SafetensorsReader.Open(MakeFile(Good, new byte[9]));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Read("a"));
    }

    [Fact]
    public void Open_MutatedFile_ReadsOrReportsButNeverCrashes()
    {
        byte[] good = File.ReadAllBytes(MakeFile(Good, new byte[9]));
        Gen<(int At, byte Value)[]> flips = Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[0, 4];
        Gen.Select(flips, Gen.Int[0, good.Length]).Sample(
            (changes, length) =>
            {
                byte[] bytes = [.. good];
                foreach ((int at, byte value) in changes)
                {
                    bytes[at] = value;
                }

                string path = _folder.File("mutant");
                File.WriteAllBytes(path, bytes[..(length % 3 == 0 ? length : bytes.Length)]);
                TryReadAll(path);
            },
            iter: 3000, threads: 1);
    }

    [Fact]
    public void Write_BadNamesOrTensors_AreRefusedBeforeAnythingIsWritten()
    {
        using Tensor value = ones(2);
        using Tensor complex = zeros(2, dtype: complex64);
        string path = _folder.File("out");
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("", value)]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("__metadata__", value)]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("a", value), new("a", value)]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("a", complex)]));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_Fails_LeavesTheOldFileAndNoTemporary()
    {
        using Tensor value = ones(2);
        Directory.CreateDirectory(_folder.File("taken"));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(_folder.File("taken"), [new("a", value)]));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(_folder.File("no/such/folder"), [new("a", value)]));
        Assert.Empty(Directory.GetFiles(_folder.Path));
        Assert.True(Directory.Exists(_folder.File("taken")));
    }

    private static void TryReadAll(string path)
    {
        try
        {
            using SafetensorsReader reader = SafetensorsReader.Open(path);
            foreach (string name in reader.Entries.Keys)
            {
                using Tensor tensor = reader.Read(name);
                Assert.Equal(reader.Entries[name].Shape, tensor.shape);
            }
        }
        catch (CheckpointException error)
        {
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }

    private string MakeFile(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        string path = _folder.File(Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, [.. length, .. json, .. data]);
        return path;
    }
}
