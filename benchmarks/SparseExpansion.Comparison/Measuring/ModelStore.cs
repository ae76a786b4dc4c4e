using SparseExpansion.Comparison.Folders;
using SparseExpansion.Comparison.Gguf;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>The models on disk: written when they are asked for, deleted after use unless the user wants them kept.</summary>
internal sealed class ModelStore : IDisposable
{
    private readonly string _folder;
    private readonly bool _keep;
    private readonly ModelShape _shape;

    /// <param name="folder">Folder that keeps the models; null for a temporary one.</param>
    /// <param name="shape">Their sizes.</param>
    public ModelStore(string? folder, ModelShape shape)
    {
        (_keep, _shape) = (folder is not null, shape);
        _folder = folder is null
            ? Directory.CreateTempSubdirectory("peers-").FullName
            : Directory.CreateDirectory(folder).FullName;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>The folder of a model of ours.</summary>
    public string Ours(WeightStorage storage)
    {
        string path = Path.Combine(_folder, storage.FolderName);
        if (!Directory.Exists(path))
        {
            string partial = path + ".partial";
            Delete(partial);
            Directory.CreateDirectory(partial);
            ModelFolderWriter.Write(partial, _shape, storage);
            Directory.Move(partial, path); // So that an interrupted run leaves no half a model.
        }

        return path;
    }

    /// <summary>The peer's file of a type.</summary>
    public string Peer(GgufType type)
    {
        string path = Path.Combine(_folder, $"{type.Name}.gguf");
        if (!File.Exists(path))
        {
            GgufFile.Write(path + ".partial", _shape, type);
            File.Move(path + ".partial", path);
        }

        return path;
    }

    /// <summary>Makes room for the next model, where models are not kept.</summary>
    public void Release(string path)
    {
        if (!_keep)
        {
            Delete(path);
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Release(_folder);
    }

    /// <summary>A run that is stopped leaves no gigabytes behind.</summary>
    private void OnExit(object? sender, EventArgs e) => Release(_folder);

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
