using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Expansion;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Files;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Transformers.Loading;

namespace SparseExpansion.Transformers;

/// <summary>The files of a checkpoint folder in Hugging Face layout that are not weights.</summary>
public static class ModelFolder
{
    /// <summary>The architecture.</summary>
    public const string ConfigFile = CheckpointFiles.Config;

    /// <summary>Defaults for generation.</summary>
    public const string GenerationConfigFile = CheckpointFiles.GenerationConfig;

    private static readonly string[] Known =
    [
        ConfigFile, GenerationConfigFile, "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "chat_template.jinja",
        "chat_template.json",
    ];

    /// <summary>
    /// Writes an expanded language model as a folder of its own: what <see cref="ExpansionResult.Save"/> writes, with
    /// configuration and tokenizer of the dense checkpoint. <see cref="PretrainedModel.Load"/> reads it.
    /// </summary>
    /// <param name="result">An expansion of a model from <paramref name="source"/>.</param>
    /// <param name="folder">The folder to make; it appears only when it is complete.</param>
    /// <param name="source">The folder of the dense checkpoint.</param>
    /// <param name="overwrite">Replaces what is there; otherwise an existing folder must be empty.</param>
    /// <param name="format">Storage format of the experts; the model stays as it is.</param>
    /// <exception cref="CheckpointException">The folder exists or cannot be written or holds the source, or the source
    /// does not exist.</exception>
    public static void SavePretrained(
        this ExpansionResult result, string folder, string source, bool overwrite = false,
        ExpertFormat format = ExpertFormat.Unchanged)
    {
        ArgumentNullException.ThrowIfNull(result);
        RequireApart(folder, source);
        result.Save(folder, overwrite, path => CopySideFiles(source, path), format);
    }

    /// <summary>
    /// Writes a model as a dense checkpoint, in the layout of its family, so that other programs read it: a model as it
    /// was loaded or trained, or one whose layers have one expert each, which is a pruned model.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder to make; it appears only when it is complete.</param>
    /// <param name="source">The checkpoint that the model came from: configuration and tokenizer are taken from
    /// there.</param>
    /// <param name="overwrite">Replaces what is there; otherwise an existing folder must be empty.</param>
    /// <exception cref="CheckpointException">The folder exists or cannot be written or holds the source, or the source
    /// does not exist.</exception>
    /// <exception cref="SparseExpansionException">A layer has more than one expert.</exception>
    public static void SaveDense(this CausalLanguageModel model, string folder, string source, bool overwrite = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequireApart(folder, source);
        DenseWriter.Write(model, folder, source, overwrite);
    }

    /// <exception cref="CheckpointException">Writing to <paramref name="output"/> would replace the
    /// checkpoint.</exception>
    internal static void RequireApart(string output, string source)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(output);
        ArgumentException.ThrowIfNullOrEmpty(source);
        if (FolderPath.IsInside(source, output))
        {
            throw new CheckpointException(
                $"{output}: holds the dense checkpoint itself, which would be replaced; name another folder.");
        }
    }

    /// <summary>Lists configuration and tokenizer files: what must travel with the weights.</summary>
    /// <param name="folder">A checkpoint folder.</param>
    /// <returns>File names without folder, in ordinal order.</returns>
    /// <exception cref="CheckpointException">The folder does not exist.</exception>
    public static IReadOnlyList<string> ListSideFiles(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException($"{folder}: there is no such folder.");
        }

        return [.. Directory.EnumerateFiles(folder)
            .Select(Path.GetFileName)
            .OfType<string>()
            .Where(name => Known.Contains(name, StringComparer.Ordinal) || name.StartsWith("tokenizer", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Lists the tensors that <see cref="PretrainedModel.Load"/> reads, from the headers of their files.
    /// </summary>
    /// <param name="folder">A checkpoint folder, dense or expanded.</param>
    /// <returns>The tensors by name; offsets are those in their own file.</returns>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static IReadOnlyDictionary<string, SafetensorsEntry> ListTensors(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return ExpandedModel.IsExpanded(folder) ? ExpandedModel.ListTensors(folder) : CheckpointTensors.List(folder);
    }

    /// <summary>
    /// Copies configuration and tokenizer files into another folder, replacing what is there. The copies can be written
    /// to.
    /// </summary>
    /// <param name="source">A checkpoint folder.</param>
    /// <param name="destination">Another folder; made if missing.</param>
    /// <returns>The names of the files that were copied.</returns>
    /// <exception cref="CheckpointException">The source does not exist, or a file cannot be copied.</exception>
    public static IReadOnlyList<string> CopySideFiles(string source, string destination)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        IReadOnlyList<string> names = ListSideFiles(source);
        try
        {
            Directory.CreateDirectory(destination);
            if (Path.GetFullPath(source) == Path.GetFullPath(destination))
            {
                return names;
            }

            foreach (string name in names)
            {
                FileCopy.Replace(Path.Combine(source, name), Path.Combine(destination, name));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{destination}: cannot be written: {PlainMessage.Clause(error)}", error);
        }

        return names;
    }
}
