namespace SparseExpansion.Inference.Decoder;

/// <summary>The norm of queries or keys: of groups of features of a token, one after the other.</summary>
/// <param name="norms">One for all groups, or one for each.</param>
/// <param name="width">Features of a group.</param>
internal sealed unsafe class HeadNorm(Norm[] norms, int width)
{
    /// <summary>Normalizes the heads of a token in place.</summary>
    /// <param name="heads">[features].</param>
    /// <param name="features">Features of all heads.</param>
    public void Apply(float* heads, int features)
    {
        for (int group = 0; group < features / width; group++)
        {
            float* head = heads + (nint)group * width;
            norms[norms.Length == 1 ? 0 : group].Apply(head, head);
        }
    }
}
