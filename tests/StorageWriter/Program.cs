// Writes to a file store until it is killed (write), counts by compare-and-swap (count) or races to create (create). Prints a line for each
// acknowledged write. Arguments: command, root, name of the writer, number.
using System.Globalization;
using System.Text;
using Scion.Storage;

(string command, string root, string writer, int number) = (args[0], args[1], args[2], int.Parse(args[3], CultureInfo.InvariantCulture));
FileBlobStore store = new(root);
using StreamWriter output = new(Console.OpenStandardOutput()) { AutoFlush = true };

switch (command)
{
    case "write":
        BlobPath current = BlobPath.Of("kill", $"{writer}/current");
        string etag = (await store.FindAsync(current, default))?.ETag ?? (await store.CreateAsync(current, Content(number), default))!.ETag;
        for (int i = number; ; i++)
        {
            await store.CreateAsync(BlobPath.Of("kill", $"{writer}/{i % 10}/{i}"), Content(i), default);
            await output.WriteLineAsync($"created {i}");
            etag = (await store.ReplaceAsync(current, Content(i), etag, default))!.ETag;
            await output.WriteLineAsync($"replaced {i}");
        }

    case "count":
        for (int done = 0; done < number;)
        {
            await using BlobContent content = (await store.OpenAsync(BlobPath.Of("race", "count"), null, default))!;
            int count = int.Parse(await new StreamReader(content.Stream).ReadToEndAsync(), CultureInfo.InvariantCulture);
            MemoryStream next = new(Encoding.UTF8.GetBytes($"{count + 1}"));
            if (await store.ReplaceAsync(BlobPath.Of("race", "count"), next, content.Item.ETag, default) is not null) done++;
        }
        return 0;

    case "create":
        for (int i = 0; i < number; i++)
            if (await store.CreateAsync(BlobPath.Of("race", $"created/{i}"), new MemoryStream(Encoding.UTF8.GetBytes(writer)), default) is not null)
                await output.WriteLineAsync($"{i}");
        return 0;

    default:
        return 2;
}

// "number length" and a line feed, then as many bytes as it says, all of one value; a blob that is not whole cannot look like this.
static MemoryStream Content(int i)
{
    int length = i * 7919 % 50_000;
    MemoryStream content = new();
    content.Write(Encoding.ASCII.GetBytes($"{i} {length}\n"));
    for (int n = 0; n < length; n++) content.WriteByte((byte)i);
    content.Position = 0;
    return content;
}
