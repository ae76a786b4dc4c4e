using System.Globalization;
using CsCheck;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64,
        ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private static readonly Gen<(string Name, int Type, int[] Shape, bool Transposed)> TensorGen =
        Gen.Select(Gen.String[1, 12], Gen.Int[0, 9], Gen.Int[0, 5].Array[0, 4], Gen.Bool);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_ThenRead_GivesTheSameTensors() =>
        TensorGen.Array[0, 6].Sample(
            specs =>
            {
                using var scope = NewDisposeScope();
                Dictionary<string, Tensor> tensors = MakeAll(specs);
                string path = _folder.File(Guid.NewGuid().ToString());
                SafetensorsWriter.Write(path, tensors);
                using SafetensorsReader reader = SafetensorsReader.Open(path);
                Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), reader.Entries.Keys.Order(StringComparer.Ordinal));
                foreach ((string name, Tensor expected) in tensors)
                {
                    Tensor actual = reader.Read(name);
                    Assert.Equal(expected.dtype, actual.dtype);
                    Assert.Equal(expected.shape, actual.shape);
                    Assert.True(expected.equal(actual).all().item<bool>());
                }
            },
            iter: 200, threads: 1);

    [Fact]
    public void Read_LargeTensors_LeaveNoPagesOfTheFileInMemory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        const int megabyte = 1 << 20;
        using var scope = NewDisposeScope();
        string path = _folder.File("large");
        SafetensorsWriter.Write(path, [new("a", zeros(4 * megabyte)), new("b", zeros(4 * megabyte))]);
        using SafetensorsReader reader = SafetensorsReader.Open(path);

        reader.Read("a");
        reader.ReadInto("b", empty(4 * megabyte));

        Assert.InRange(ResidentBytes(path), 0, megabyte); // The header, of files of 32 MB.
    }

    /// <summary>More rows than are converted at once, a matrix with longer rows than that, and a scalar.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, ScalarType.Float32)]
    [InlineData(ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float32)]
    public void ReadInto_AnyDType_GivesTheConvertedValues(ScalarType stored, ScalarType wanted)
    {
        using var scope = NewDisposeScope();
        Tensor rows = randn(5000, 2000).to(stored), wide = randn(2, 9_000_000).to(stored), scalar = randn([]).to(stored);
        SafetensorsWriter.Write(
            _folder.File("x"), [new("rows", rows), new("wide", wide), new("scalar", scalar), new("none", zeros(0, 3))]);
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("x"));
        foreach ((string name, Tensor expected) in new[] { ("rows", rows), ("wide", wide), ("scalar", scalar), ("none", zeros(0, 3)) })
        {
            Tensor target = ones(expected.shape, wanted), strided = ones([2, .. expected.shape], wanted).select(0, 1);

            reader.ReadInto(name, target);
            reader.ReadInto(name, strided);

            Assert.True(TensorChecks.Equal(expected.to(wanted), target));
            Assert.True(TensorChecks.Equal(expected.to(wanted), strided));
        }

        Tensor transposed = ones([2000, 5000], wanted).t();
        reader.ReadInto("rows", transposed);
        Assert.True(TensorChecks.Equal(rows.to(wanted), transposed));
    }

    [Fact]
    public void Write_SameTensorsInAnotherOrder_GivesTheSameBytes()
    {
        using var scope = NewDisposeScope();
        Tensor a = TensorArithmetic.Range(6, float32);
        Tensor b = TensorArithmetic.Range(3);
        var metadata = new Dictionary<string, string> { ["z"] = "1", ["a"] = "✓" };
        var reversed = new Dictionary<string, string> { ["a"] = "✓", ["z"] = "1" };
        SafetensorsWriter.Write(_folder.File("1"), [new("a", a), new("b", b)], metadata);
        SafetensorsWriter.Write(_folder.File("2"), [new("b", b), new("a", a)], reversed);

        Assert.Equal(File.ReadAllBytes(_folder.File("1")), File.ReadAllBytes(_folder.File("2")));
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("1"));
        Assert.Equal(metadata, reader.Metadata);
        Assert.All(reader.Entries.Values, entry => Assert.Equal(0, entry.Offset % 8));
    }

    [Theory]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Map_AnyDtype_GivesTheTensorBeyondTheReader(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        Tensor values = (randn(70, 13) * Scalars.Of(2)).to(dtype), other = ones(3, dtype: ScalarType.Byte);
        SafetensorsWriter.Write(_folder.File("mäp ü"), [new("v", values), new("a", other), new("empty", zeros(0, 4))]);

        Tensor mapped, empty;
        using (SafetensorsReader reader = SafetensorsReader.Open(_folder.File("mäp ü")))
        {
            (mapped, empty) = (reader.Map("v"), reader.Map("empty"));
        }

        Assert.True(TensorChecks.Equal(values, mapped));
        Assert.Equal([0, 4], empty.shape);
    }

    [Fact]
    public void Map_WrittenTo_LeavesTheFileAlone()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(_folder.File("f"), [new("v", ones(100))]);
        byte[] before = File.ReadAllBytes(_folder.File("f"));
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("f"));

        reader.Map("v").fill_(Scalars.Of(7));

        Assert.Equal(before, File.ReadAllBytes(_folder.File("f")));
    }

    [Fact]
    public void Map_LastTensorDisposed_UnmapsTheFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        string path = _folder.File("unmapped");
        SafetensorsWriter.Write(path, [new("v", ones(100)), new("w", ones(100))]);
        SafetensorsReader reader = SafetensorsReader.Open(path);
        Tensor v = reader.Map("v"), w = reader.Map("w");

        reader.Dispose();
        v.Dispose();
        Assert.Contains(path, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        w.Dispose();
        Assert.DoesNotContain(path, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
    }

    [Fact]
    public void Map_BytesNotAligned_Copies()
    {
        byte[] header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"""u8.ToArray();
        File.WriteAllBytes(_folder.File("odd"), [.. BitConverter.GetBytes((long)header.Length), .. header, 9, .. BitConverter.GetBytes(2.5f)]);
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("odd"));
        using Tensor mapped = reader.Map("b");
        Assert.Equal(2.5f, mapped[0].item<float>());
    }

    [Fact]
    public void Map_FileBecameShorter_SaysSo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems lock mapped files.");
        SafetensorsWriter.Write(_folder.File("f"), [new("v", ones(100))]);
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("f"));
        File.Delete(_folder.File("f"));
        Assert.Contains(_folder.File("f"), Assert.Throws<CheckpointException>(() => reader.Map("v")).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder.File("f"), new byte[20]);
        Assert.Contains(_folder.File("f"), Assert.Throws<CheckpointException>(() => reader.Map("v")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NamesThatJsonEscapes_ComeBack()
    {
        using Tensor value = ones(2);
        string[] names = ["a\"b", "tab\t", "new\nline", "ünïcode", "emoji 😀", "back\\slash"];
        SafetensorsWriter.Write(_folder.File("f"), names.Select(name => KeyValuePair.Create(name, value)));
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("f"));
        Assert.Equal(names.Order(StringComparer.Ordinal), reader.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Write_TensorsOnCuda_ComeBackOnTheDeviceAskedFor()
    {
        Assert.SkipUnless(cuda.is_available(), "Needs a CUDA device.");
        using var scope = NewDisposeScope();
        Tensor values = TensorArithmetic.Range(12, float32, CUDA).view(3, 4).t();
        SafetensorsWriter.Write(_folder.File("f"), [new("v", values)]);
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("f"));
        Tensor read = reader.Read("v", CUDA);
        Assert.Equal(DeviceType.CUDA, read.device_type);
        Assert.True(read.equal(values).all().item<bool>());
    }

    [Fact]
    public void WriteAndRead_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor values = rand(3, 4);
        using Tensor transposed = values.t();
        SafetensorsWriter.Write(_folder.File("leak"), [new("v", transposed)]);
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("leak"));
        using Tensor read = reader.Read("v");
        using Tensor mapped = reader.Map("v");
    });

    private static Dictionary<string, Tensor> MakeAll((string Name, int Type, int[] Shape, bool Transposed)[] specs)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, int type, int[] shape, bool transposed) in specs)
        {
            // Lone surrogates have no UTF-8 form.
            string valid = string.Concat(name.Where(c => !char.IsSurrogate(c)));
            if (valid.Length == 0)
            {
                continue;
            }

            Tensor made = randint(0, 100, shape.Select(size => (long)size).ToArray()).to(Types[type]);
            tensors[valid] = transposed && made.Dimensions > 1 ? made.transpose(0, -1) : made;
        }

        return tensors;
    }

    /// <summary>Bytes of a file's mappings that are in memory now.</summary>
    private static long ResidentBytes(string path)
    {
        long bytes = 0;
        bool inside = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string first = line.Split(' ')[0];
            if (!first.EndsWith(':'))
            {
                inside = line.EndsWith(path, StringComparison.Ordinal);
            }
            else if (inside && first == "Rss:")
            {
                bytes += 1024 * long.Parse(line["Rss:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
            }
        }

        return bytes;
    }
}
