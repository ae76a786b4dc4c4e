using SparseExpansion.Comparison.Serving;
using SparseExpansion.Peers;

if (args is not ["serve", .. var rest])
{
    Console.Error.WriteLine("Use: serve NAME=FILE.gguf … [--library avx512|avx2|avx|default]");
    return 1;
}

return new LlamaProgram().Run(rest, Console.In, Console.Out);
