#region language-model
using SparseExpansion;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Models;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Transformers;

if (args is not [string folder, string calibration, string evaluation, string output])
{
    Console.Error.WriteLine("Usage: MODEL calibration.txt evaluation.txt OUTPUT");
    return 1;
}

OpenMPWaiting.UsePassive(); // before any other use of torch: its waiting threads then do not starve others
using CausalLanguageModel model = PretrainedModel.Load(folder); // config.json, safetensors, tokenizer
TextTokenizer tokenizer = TextTokenizer.Load(folder);
TokenWindows Read(string file) => TokenWindows.FromText(File.ReadAllText(file), tokenizer, Math.Min(256, model.Config.MaxPositions)).Take(32);

using ExpansionResult result = model.Expand()
    .Blocks(m => m.Blocks)
    .Targets("*.mlp.*")
    .RouteWith(new PcaKMeansOptions { Experts = 8, PcaReduction = 4 })
    .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
    .CalibrateOn(Read(calibration))
    .Run();
Console.WriteLine($"perplexity {Perplexity.Evaluate(model, Read(evaluation)).Perplexity:F3}");

result.SavePretrained(output, source: folder);
using CausalLanguageModel loaded = PretrainedModel.Load(output);
Console.WriteLine(string.Concat(TextGenerator.GenerateText(loaded, tokenizer, "Once upon a time", new GenerationOptions { MaxNewTokens = 30 })));
return 0;
#endregion
