#region language-model
using SparseExpansion;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;

OpenMPWaiting.UsePassive(); // before anything of torch: its threads then leave the processors to others while they wait
string folder = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "model"); // config.json, safetensors, tokenizer
string output = Path.Combine(Path.GetTempPath(), "expanded-" + Path.GetRandomFileName());

using CausalLanguageModel model = PretrainedModel.Load(folder);
TextTokenizer tokenizer = TextTokenizer.Load(folder);
TokenWindows Read(string file) => TokenWindows.FromText(File.ReadAllText(Path.Combine(folder, file)), tokenizer, context: 256).Take(32);

using ExpansionResult result = model.Expand()
    .Blocks(m => m.Blocks)
    .Targets("*.mlp.*")
    .RouteWith(new PcaKMeansOptions { Experts = 8, PcaReduction = 4 })
    .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
    .CalibrateOn(Read("calibration.txt").Batches(batchSize: 8))
    .Run();
Console.WriteLine($"perplexity {Perplexity.Evaluate(model, Read("evaluation.txt")).Perplexity:F3}");

result.SavePretrained(output, source: folder);
using CausalLanguageModel loaded = PretrainedModel.Load(output);
Console.WriteLine(string.Concat(TextGenerator.GenerateText(loaded, tokenizer, "Once upon a time", new GenerationOptions { MaxNewTokens = 30 })));
#endregion
Directory.Delete(output, recursive: true);
