using LLama.Exceptions;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Peers;

/// <summary>serve NAME=FILE.gguf … [--library avx512|avx2|avx|default]: llama.cpp, asked on standard input.</summary>
internal sealed class LlamaProgram() : ServerProgram("--library")
{
    private bool _isSelected;

    protected override IServedModel Load(string path, string? option)
    {
        if (!_isSelected) // Once, before the first use.
        {
            LlamaLibrary.Select(option ?? LlamaLibrary.Default);
            _isSelected = true;
        }

        try
        {
            return new LlamaModel(path);
        }
        catch (Exception error) when (error is LoadWeightsFailedException or TypeInitializationException or IOException)
        {
            throw new SparseExpansionException($"{path}: llama.cpp cannot load it: {error.GetBaseException().Message}", error);
        }
    }

    protected override string Describe() => LlamaLibrary.Describe();
}
