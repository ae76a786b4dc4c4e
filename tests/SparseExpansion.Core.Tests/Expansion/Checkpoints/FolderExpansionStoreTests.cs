using System.Security.Cryptography;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

public sealed class FolderExpansionStoreTests : IDisposable
{
    private static readonly Dictionary<string, string> s_settings = new() { ["seed"] = "1" };

    private readonly TemporaryFolder _folder = new();
    private readonly Tensor _tensor = TensorArithmetic.Range(24, ScalarType.Float32).reshape(4, 6);

    private string Partial => _folder.File("partial");

    public void Dispose()
    {
        _tensor.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Read_WhatWasAdded_GivesTheSame()
    {
        using (FolderExpansionStore store = FolderExpansionStore.Open(Partial))
        {
            Assert.Null(store.Settings);
            store.Begin(s_settings);
            Add(store, "first", activations: 11);
            Add(store, "second", activations: 2);
        }

        using FolderExpansionStore again = FolderExpansionStore.Open(Partial);
        using StoredBlock first = again.Read(0);
        using StoredBlock second = again.Read(1);
        Assert.Equal(("first", "second"), (first.Description, second.Description));
        Assert.Equal(s_settings, again.Settings);
        Assert.Empty(first.Activations);
        Assert.Equal(2, second.Activations.Count);
        Assert.Equal(_tensor.data<float>().ToArray(), second.Tensors["weight"].data<float>().ToArray());
        Assert.Equal([1f, 1f], second.Activations[1].data<float>().ToArray());
    }

    [Fact]
    public void Add_Again_RemovesFormerActivations()
    {
        using FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        store.Begin(s_settings);
        Add(store, "first", activations: 1);
        Add(store, "second", activations: 1);

        Assert.Equal(
            ["activations-00001.safetensors", "experts-00000.safetensors", "experts-00001.safetensors", "journal.json", "lock"],
            Directory.EnumerateFiles(Partial).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Open_FilesOfAnUnfinishedBlock_AreIgnoredAndRemoved()
    {
        using (FolderExpansionStore store = FolderExpansionStore.Open(Partial))
        {
            store.Begin(s_settings);
            Add(store, "first", activations: 1);
        }

        File.WriteAllText(Path.Combine(Partial, "experts-00001.safetensors"), "half");
        File.WriteAllText(Path.Combine(Partial, "journal.json.0123.tmp"), "half");
        using FolderExpansionStore again = FolderExpansionStore.Open(Partial);
        Assert.Equal(1, again.BlockCount);
        Add(again, "second", activations: 0);

        Assert.Equal(["experts-00000.safetensors", "experts-00001.safetensors", "journal.json", "lock"], Directory.EnumerateFiles(Partial).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Open_WhileAnotherHasIt_IsRefused()
    {
        using FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        store.Begin(s_settings);

        Assert.Contains("in use", Assert.Throws<CheckpointException>(() => FolderExpansionStore.Open(Partial)).Message, StringComparison.Ordinal);
        store.Dispose();
        FolderExpansionStore.Open(Partial).Dispose();
    }

    [Fact]
    public void Open_SomethingElse_IsRefusedAndLeftAlone()
    {
        Directory.CreateDirectory(Partial);
        File.WriteAllText(Path.Combine(Partial, "thesis.txt"), "mine");

        Assert.Contains("something other", Assert.Throws<CheckpointException>(() => FolderExpansionStore.Open(Partial)).Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFiles(Partial).Select(Path.GetFileName));
        Assert.Contains("is a file", Assert.Throws<CheckpointException>(() => FolderExpansionStore.Open(Path.Combine(Partial, "thesis.txt"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{ "format": "sparse-expansion-partial", "version": 2, "settings": {}, "units": [] }""")]
    [InlineData("""{ "format": "sparse-expansion-partial", "version": 1 }""")]
    public void Open_DamagedJournal_NamesIt(string journal)
    {
        Directory.CreateDirectory(Partial);
        File.WriteAllText(Path.Combine(Partial, "journal.json"), journal);

        Assert.Contains("journal.json", Assert.Throws<CheckpointException>(() => FolderExpansionStore.Open(Partial)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_WhereNothingCanBeWritten_NamesTheFolder()
    {
        File.WriteAllText(_folder.File("file"), "");
        using FolderExpansionStore store = FolderExpansionStore.Open(_folder.File("file/partial"));

        Assert.Contains("partial", Assert.Throws<CheckpointException>(() => store.Begin(s_settings)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Delete_RemovesTheFolder()
    {
        FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        store.Begin(s_settings);
        store.Delete();

        Assert.False(Directory.Exists(Partial));
    }

    [Fact]
    public void Delete_WhileAnotherHasTheFolder_IsRefusedAndKeepsItsBlocks()
    {
        using FolderExpansionStore early = FolderExpansionStore.Open(Partial), owner = FolderExpansionStore.Open(Partial);
        owner.Begin(s_settings);
        Add(owner, "first", activations: 1);

        Assert.Contains("in use", Assert.Throws<CheckpointException>(() => early.Begin(s_settings)).Message, StringComparison.Ordinal);
        Assert.Contains("in use", Assert.Throws<CheckpointException>(early.Delete).Message, StringComparison.Ordinal);
        using StoredBlock kept = owner.Read(0);
        Assert.Equal("first", kept.Description);
    }

    [Fact]
    public void Begin_WhereAnotherHasLeftBlocksMeanwhile_IsRefused()
    {
        using FolderExpansionStore early = FolderExpansionStore.Open(Partial);
        using (FolderExpansionStore owner = FolderExpansionStore.Open(Partial))
        {
            owner.Begin(s_settings);
            Add(owner, "first", activations: 1);
        }

        Assert.Contains("finished blocks", Assert.Throws<CheckpointException>(() => early.Begin(s_settings)).Message, StringComparison.Ordinal);
        using FolderExpansionStore again = FolderExpansionStore.Open(Partial);
        Assert.Equal(1, again.BlockCount);
    }

    [Fact]
    public void BeginAndDelete_WhereSomethingElseHasCome_AreRefusedAndLeaveItAlone()
    {
        using FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        Directory.CreateDirectory(Partial);
        File.WriteAllText(Path.Combine(Partial, "thesis.txt"), "mine");

        Assert.Contains("something other", Assert.Throws<CheckpointException>(() => store.Begin(s_settings)).Message, StringComparison.Ordinal);
        Assert.Contains("something other", Assert.Throws<CheckpointException>(store.Delete).Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], Directory.EnumerateFiles(Partial).Select(Path.GetFileName));
    }

    [Fact]
    public void Read_ATensorThatCannotBe_LeaksNothing() => LeakCheck.NoTensorsLeft(() =>
    {
        using FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        store.Begin(s_settings);
        Add(store, "first", activations: 0);
        string experts = Path.Combine(Partial, "experts-00000.safetensors"), journal = Path.Combine(Partial, "journal.json");
        string before = Hash(experts);
        SafetensorsFileWriter.Write(
            experts,
            [
                SafetensorsContent.Of<float>("weight", ElementType.Float32, [2], new float[2]),
                SafetensorsContent.Of<byte>("mask", ElementType.Bool, [1], new byte[] { 2 }),
            ]);
        File.WriteAllText(journal, File.ReadAllText(journal).Replace(before, Hash(experts), StringComparison.Ordinal));
        store.Dispose();
        using FolderExpansionStore again = FolderExpansionStore.Open(Partial);

        Assert.Contains("mask", Assert.Throws<CheckpointException>(() => again.Read(0)).Message, StringComparison.Ordinal);
        again.Delete();
    });

    private static string Hash(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    [Fact]
    public void AddAndRead_LeakNothing() => LeakCheck.NoTensorsLeft(() =>
    {
        using FolderExpansionStore store = FolderExpansionStore.Open(Partial);
        store.Begin(s_settings);
        Add(store, "first", activations: 2);
        store.Read(0).Dispose();
    });

    private void Add(FolderExpansionStore store, string description, int activations)
    {
        using var scope = NewDisposeScope();
        store.Add(new StoredBlock(
            description, new Dictionary<string, Tensor> { ["weight"] = _tensor }, [.. Enumerable.Range(0, activations).Select(batch => full(2, Scalars.Of((float)batch)))]));
    }
}
