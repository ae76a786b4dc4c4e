using SparseExpansion.Testing;

namespace SparseExpansion.Internal.Files;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File("model");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Commit_OldContentThatCannotBeRemoved_IsLeftForLater()
    {
        Make(Target, "old");
        using (AtomicFolder folder = AtomicFolder.Create(Target, overwrite: true, _ => throw new IOException("busy")))
        {
            File.WriteAllText(Path.Combine(folder.Path, "file"), "new");
            folder.Commit();
        }

        Assert.Equal("new", Content(Target));
        Assert.Equal(2, Directory.GetDirectories(_folder.Path).Length);
        AtomicFolder.RemoveLeftovers(Target);
        Assert.Equal([Target], Directory.GetDirectories(_folder.Path));
        Assert.Equal("new", Content(Target));
    }

    [Fact]
    public void Dispose_WhatCannotBeRemoved_DoesNotHideTheError()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(Fail);

        Assert.Equal("cause", error.Message);
        Assert.False(Directory.Exists(Target));

        void Fail()
        {
            using AtomicFolder folder = AtomicFolder.Create(Target, overwrite: false, _ => throw new IOException("busy"));
            throw new InvalidDataException("cause");
        }
    }

    [Fact]
    public void RemoveLeftovers_WhatTheTargetWasBefore_GoesOnlyWhereThereIsATarget()
    {
        string old = $"{Target}.{Guid.NewGuid():N}.old", partial = $"{Target}.{Guid.NewGuid():N}.partial";
        Make(old, "old");
        Make(partial, "half");

        AtomicFolder.RemoveLeftovers(Target);
        Assert.Equal([old], Directory.GetDirectories(_folder.Path));

        Make(Target, "new");
        AtomicFolder.RemoveLeftovers(Target);
        Assert.Equal([Target], Directory.GetDirectories(_folder.Path));
    }

    [Fact]
    public void RemoveLeftovers_OtherFolders_Stay()
    {
        string[] others = [$"{Target}.old", $"{Target}.mine.old", $"{Target}.partial", $"{Target}2.{Guid.NewGuid():N}.old"];
        Array.ForEach(others, other => Make(other, "mine"));
        Make(Target, "new");

        AtomicFolder.RemoveLeftovers(Target);

        Assert.Equal(5, Directory.GetDirectories(_folder.Path).Length);
    }

    [Fact]
    public void RemoveLeftovers_TargetBehindALink_LookWhereTheFolderIs()
    {
        Make(Target, "new");
        string link = Path.Combine(Directory.CreateDirectory(_folder.File("links")).FullName, "model");
        Directory.CreateSymbolicLink(link, Target);
        string partial = $"{Target}.{Guid.NewGuid():N}.partial";
        Make(partial, "half");

        AtomicFolder.RemoveLeftovers(link);

        Assert.False(Directory.Exists(partial));
        Assert.Equal("new", Content(link));
    }

    private static void Make(string folder, string content)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "file"), content);
    }

    private static string Content(string folder) => File.ReadAllText(Path.Combine(folder, "file"));
}
