using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace SparseExpansion.MutationSampler;

/// <summary>The library in the compiler's memory.</summary>
internal sealed class CoreCompilation
{
    private readonly CSharpCompilation _compilation;

    private CoreCompilation(CSharpCompilation compilation) => _compilation = compilation;

    /// <summary>The files.</summary>
    public IEnumerable<SyntaxTree> Trees => _compilation.SyntaxTrees;

    /// <summary>Options for parsing files.</summary>
    public CSharpParseOptions ParseOptions => (CSharpParseOptions)_compilation.SyntaxTrees[0].Options;

    /// <summary>Reads what the build would compile.</summary>
    /// <param name="arguments">The compiler's command line, one argument each.</param>
    /// <param name="folder">The project's folder.</param>
    public static CoreCompilation Load(IEnumerable<string> arguments, string folder)
    {
        CSharpCommandLineArguments line = CSharpCommandLineParser.Default.Parse(arguments, folder, sdkDirectory: null);
        IEnumerable<SyntaxTree> trees = line.SourceFiles.Select(file =>
            CSharpSyntaxTree.ParseText(File.ReadAllText(file.Path), line.ParseOptions, file.Path));
        IEnumerable<MetadataReference> references = line.MetadataReferences.Select(reference => MetadataReference.CreateFromFile(reference.Reference));
        CSharpCompilationOptions options = line.CompilationOptions.WithGeneralDiagnosticOption(ReportDiagnostic.Suppress).WithSpecificDiagnosticOptions([]);
        var compilation = CSharpCompilation.Create(line.CompilationName, trees, references, options);
        var loader = new Loader();
        IEnumerable<ISourceGenerator> generators = line.AnalyzerReferences
            .Where(reference => !Path.GetFileName(reference.FilePath).StartsWith("Microsoft.CodeAnalysis.", StringComparison.Ordinal))
            .SelectMany(reference => new AnalyzerFileReference(Path.GetFullPath(reference.FilePath, folder), loader).GetGenerators(LanguageNames.CSharp));
        CSharpGeneratorDriver.Create(generators, parseOptions: line.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out Compilation complete, out _);
        return new((CSharpCompilation)complete);
    }

    /// <summary>The assembly, or null and the errors where it does not compile.</summary>
    /// <param name="changed">Files that stand in for those of the same path; others come in addition.</param>
    /// <param name="errors">Why it does not compile.</param>
    public byte[]? Emit(IReadOnlyList<SyntaxTree> changed, out IReadOnlyList<Diagnostic> errors)
    {
        CSharpCompilation compilation = _compilation;
        foreach (SyntaxTree tree in changed)
        {
            SyntaxTree? former = _compilation.SyntaxTrees.FirstOrDefault(other => other.FilePath == tree.FilePath);
            compilation = former is null || tree.FilePath.Length == 0 ? compilation.AddSyntaxTrees(tree) : compilation.ReplaceSyntaxTree(former, tree);
        }

        using var stream = new MemoryStream();
        errors = [.. compilation.Emit(stream).Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)];
        return errors.Count == 0 ? stream.ToArray() : null;
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        public Assembly LoadFromPath(string fullPath) => Assembly.LoadFrom(fullPath);
    }
}
