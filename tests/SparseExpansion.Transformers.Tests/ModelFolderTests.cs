using SparseExpansion.Testing;

namespace SparseExpansion.Transformers;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CopySideFiles_ReadOnlySource_GivesWritableCopiesEvenOverReadOnlyOnes()
    {
        Directory.CreateDirectory(_folder.File("source"));
        string source = Path.Combine(_folder.File("source"), ModelFolder.ConfigFile);
        string copy = Path.Combine(_folder.File("copy"), ModelFolder.ConfigFile);
        File.WriteAllText(source, "{}");
        File.SetAttributes(source, FileAttributes.ReadOnly);
        ModelFolder.CopySideFiles(_folder.File("source"), _folder.File("copy"));
        Assert.False(File.GetAttributes(copy).HasFlag(FileAttributes.ReadOnly));

        File.SetAttributes(copy, FileAttributes.ReadOnly);
        ModelFolder.CopySideFiles(_folder.File("source"), _folder.File("copy"));
        Assert.False(File.GetAttributes(copy).HasFlag(FileAttributes.ReadOnly));
        File.SetAttributes(source, FileAttributes.Normal);
    }
}
