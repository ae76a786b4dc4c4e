using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

/// <summary>
/// Links, pipes, devices, read-only files, names with blanks and letters of other scripts, and files beyond 2 GiB.
/// </summary>
public sealed class OddFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(20)]
    public async Task Open_PipeWithoutAWriter_IsRefusedAtOnce(int seconds)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Makes a POSIX pipe.");
        string pipe = _folder.File("pipe");
        using (Process make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Task<CheckpointException> open = Task.Run(() => Assert.Throws<CheckpointException>(() => SafetensorsReader.Open(pipe)), TestContext.Current.CancellationToken);
        CheckpointException error = await open.WaitAsync(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
        Assert.Contains("is a pipe or a device", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_EndlessDevice_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads a device of Linux.");
        Assert.Contains("is a pipe or a device", Assert.Throws<CheckpointException>(() => SafetensorsReader.Open("/dev/zero")).Message, StringComparison.Ordinal);
        File.CreateSymbolicLink(_folder.File(ExpandedIndex.FileName), "/dev/zero");
        Assert.Contains("is a pipe or a device", Assert.Throws<CheckpointException>(() => ExpandedIndex.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Map_TensorBeyond2GiB_ReachesItsEnd()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs sparse files.");
        const long Count = (1L << 31) + 24;
        byte[] header = Encoding.UTF8.GetBytes($"{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{Count}],\"data_offsets\":[0,{Count}]}},\"b\":{{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[{Count},{Count + 2}]}}}}");
        using (FileStream stream = File.Create(_folder.File("large")))
        {
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write([.. length, .. header]);
            stream.Position = 8 + header.Length + Count - 1;
            stream.Write([7, 8, 9]);
        }

        using var scope = NewDisposeScope();
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File("large"));
        Assert.Equal(Count, reader.Entries["a"].ByteLength);
        Assert.Equal(7, reader.Map("a")[Count - 1].item<byte>());
        Assert.Equal([8, 9], reader.Read("b").data<byte>().ToArray());
    }

    [Fact]
    public void SaveAndLoad_BlanksAndOtherScripts_Work()
    {
        string folder = _folder.File("mit Leerzeichen/模型 é😀");
        using GatedModel model = Saved(folder);
        using var loaded = new GatedModel();
        ExpandedModel.Load(loaded, folder);
        ExpandedModel.Convert(folder, _folder.File("noch eins"), ExpertFormat.Dense);
        Assert.True(ExpandedModel.IsExpanded(_folder.File("noch eins")));
    }

    [Fact]
    public void Save_IntoALinkedFolder_FillsTheFolderBehindIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        Directory.CreateDirectory(_folder.File("real"));
        Directory.CreateSymbolicLink(_folder.File("link"), _folder.File("real"));
        Saved(_folder.File("link")).Dispose();
        Assert.NotNull(new DirectoryInfo(_folder.File("link")).LinkTarget);
        Assert.True(ExpandedModel.IsExpanded(_folder.File("real")));

        File.CreateSymbolicLink(_folder.File("nowhere"), _folder.File("gone"));
        Assert.Contains("link to nothing", Assert.Throws<CheckpointException>(() => Saved(_folder.File("nowhere"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_ReadOnlyFileBesides_IsCopiedWritable()
    {
        Saved(_folder.File("model")).Dispose();
        string file = Path.Combine(_folder.File("model"), "config.json");
        File.WriteAllText(file, "{}");
        File.SetAttributes(file, FileAttributes.ReadOnly);
        ExpandedModel.Convert(_folder.File("model"), _folder.File("out"), ExpertFormat.Dense);
        Assert.False(File.GetAttributes(Path.Combine(_folder.File("out"), "config.json")).HasFlag(FileAttributes.ReadOnly));
        File.SetAttributes(file, FileAttributes.Normal);
    }

    [Fact]
    public void Load_ExpertsOfIntegers_IsRefused()
    {
        using var scope = NewDisposeScope();
        using (GatedModel model = Saved(_folder.File("model")))
        {
            ExpandedModel.Convert(_folder.File("model"), _folder.File("dense"), ExpertFormat.Dense);
        }

        string path = Path.Combine(_folder.File("dense"), ExpandedTensorNames.ExpertsFile);
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(path))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name).to(int32));
        }

        SafetensorsWriter.Write(path, tensors);
        using var fresh = new GatedModel();
        Assert.Contains("floating-point", Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, _folder.File("dense"))).Message, StringComparison.Ordinal);
    }

    private static GatedModel Saved(string folder)
    {
        Tensor[] batches = GatedModel.Batches();
        var model = new GatedModel();
        using ExpansionResult result = model.Expand().Targets("blocks.*").RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 })
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(batches).Run();
        result.Save(folder);
        Array.ForEach(batches, batch => batch.Dispose());
        return model;
    }
}
