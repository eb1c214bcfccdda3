/* Simplified Chinese for whoever's browser asks for it: the page's own sentences are exchanged where they stand.
   What people wrote (prompts, names of files) and what the service replied is left as it is. */
(() => {
  'use strict';
  if (!/^zh\b/i.test(navigator.language || '') || /^zh-(TW|HK|MO|Hant)/i.test(navigator.language)) return;
  const WORDS = {
    'Pictures and a sentence in, a video out': '几张图片加一句话，生成一段视频', 'Keyboard shortcuts': '键盘快捷键', 'Switch between light and dark': '切换浅色与深色', Keyboard: '键盘', Generate: '生成', Close: '关闭', 'This list': '显示此列表',
    'Mention a picture in the prompt': '在提示词中提及图片', 'Move the focused picture': '移动选中的图片', 'Remove the focused picture': '移除选中的图片', 'Open the focused picture: role and notes': '打开选中的图片：角色与提示',
    References: '参考图片', 'Add one to seven pictures': '添加一到七张图片', 'A character, a prop, a scene. Drop, paste or choose.': '人物、道具或场景。拖放、粘贴或选择。', 'Add pictures': '添加图片', 'Choose pictures': '选择图片',
    Guess: '自动判断', Character: '人物', Prop: '道具', Scene: '场景', Style: '风格', 'View: guess': '视角：自动', Front: '正面', Side: '侧面', Back: '背面', 'Facing left': '朝左', 'Facing right': '朝右',
    'There is only one angle of it; add a side view for a steadier identity.': '只有一个角度；再加一张侧面图，形象更稳定。', 'It is not mentioned in the prompt; the others are.': '提示词提到了其他图片，但没有提到这一张。',
    'It looks blurred; a sharper one keeps more detail.': '看起来模糊；更清晰的图片能保留更多细节。', 'It is very dark; a brighter one shows the subject better.': '画面很暗；更亮的图片能更好地呈现主体。', 'It is very long; a part around the subject would show it larger.': '图片过长；只截取主体部分会更醒目。',
    'Reference video': '参考视频', optional: '可选', 'Add a video': '添加视频', 'By address': '使用网址', 'Uploading…': '正在上传…', 'Keep its original sound': '保留原声', 'Remove the reference video': '移除参考视频', 'Remove the address': '移除网址', 'Address of the video': '视频网址',
    'Apply settings': '套用设置', 'Use as reference video': '用作参考视频', Cancel: '取消', Prompt: '提示词', 'Phrases to add': '可添加的短语', 'Push in': '推近', Orbit: '环绕', Tracking: '跟拍', 'Golden hour': '黄金时刻', 'Neon night': '霓虹之夜', Rain: '雨', 'Slow motion': '慢动作',
    'No matches': '没有匹配项', 'Add pictures first': '请先添加图片', Duration: '时长', Shape: '画幅', Engine: '引擎', Draft: '草稿', 'on this machine': '在本机生成', 'final quality': '成片质量', free: '免费', 'Generate draft': '生成草稿', 'Sending…': '正在发送…',
    'WaveSpeed key': 'WaveSpeed 密钥', 'Use key': '使用密钥', 'Checking…': '正在检查…', 'Forget it': '忘记密钥', "Kept in this server's memory until it stops; never stored, never shown.": '只保存在服务器内存中，停止即清除；不写入磁盘，也不显示。',
    'Draft reads': '草稿理解为', Understood: '已理解', Place: '地点', Time: '时间', Weather: '天气', Look: '氛围', Action: '动作', Camera: '镜头', 'No effect:': '未起作用：', 'no place, action or camera named: it stages a simple scene': '没有提到地点、动作或镜头：将呈现简单场景',
    'Your video appears here': '视频将显示在这里', 'Add pictures and a sentence. A draft is free and takes seconds.': '添加图片和一句话。草稿免费，几秒即可完成。', 'Ready when you are': '准备就绪', 'Your inputs are kept.': '您的输入已保留。', 'Start from an example': '从示例开始', 'Example draft, made on this machine · free': '示例草稿，由本机生成 · 免费', 'Play the example': '播放示例', 'Pause the example': '暂停示例',
    'Draft engine': '草稿引擎', 'In line': '排队中', 'Preparing references': '正在准备参考', 'Handing over references': '正在交付参考', Starting: '正在开始', 'Drawing the draft': '正在绘制草稿', Finishing: '正在收尾', 'Draft ready': '草稿完成', Done: '完成', Stopped: '已停止', 'It did not work': '未能完成', 'Not accepted': '未被接受', 'Uploading references': '正在上传参考', 'Sending the request': '正在发送请求', 'Kling O1 is working': 'Kling O1 正在生成', 'Downloading the video': '正在下载视频', 'Looking for your run': '正在查找您的任务', 'Waiting for your key': '等待您的密钥', 'The video is out of reach': '视频无法取得', 'Nothing was started': '没有开始任何任务',
    Stop: '停止', 'Tell me when done': '完成后通知我', 'Will tell you': '完成后会通知您', Download: '下载', 'More formats': '更多格式', 'Use these inputs': '使用这些输入', 'As reference video': '作为参考视频', 'This frame as picture': '此帧作为图片', Details: '详情', 'Elapsed time': '已用时间', 'Your job': '您的任务', 'Go on': '继续', 'Send again': '重新发送', 'Try the download again': '重新下载', 'Look it up again': '重新查找',
    Video: '视频', Size: '尺寸', Format: '格式', Original: '原始', 'MP4, with its recipe': 'MP4（含配方）', 'Save video': '保存视频', 'Contact sheet': '缩略图总览', 'Offline page': '离线网页', 'with its cost': '含费用', 'Forms to download': '可下载的格式',
    'Your videos': '您的视频', Search: '搜索', 'Search your videos': '搜索您的视频', 'Made by': '生成引擎', Standing: '状态', 'Any engine': '全部引擎', 'Any state': '全部状态', 'In work': '进行中', 'Waiting for you': '等待您处理', 'Waits for you': '等待您处理', 'Stopped or failed': '已停止或失败', 'Show older': '显示更早的', 'Nothing here fits.': '没有符合的视频。', 'Show everything': '全部显示', Undo: '撤销', 'Deleted.': '已删除。', 'Stopped and deleted.': '已停止并删除。', Delete: '删除', 'Compare with another take': '与另一版本比较',
    'Compare takes': '比较版本', 'Close the comparison': '关闭比较', 'First take': '版本一', 'Second take': '版本二', 'One frame back': '后退一帧', 'One frame on': '前进一帧', 'Play both': '同时播放', 'Pause both': '同时暂停', Position: '位置', 'What differs': '差异', 'Their settings are the same.': '两个版本的设置相同。', Pictures: '图片', Price: '价格', Took: '用时', Dismiss: '关闭提示',
  };
  const PATTERNS = [
    [/^ · free$/, ' · 免费'], [/^Draft engine · free$/, '草稿引擎 · 免费'], [/^(\d+) pictures? · (.+)$/, '$1 张图片 · $2'], [/^(\d+) of (\d+)$/, '$1 / $2'], [/^Make it with Kling O1 · (.+)$/, '用 Kling O1 生成 · $1'],
    [/^Write a prompt$/, '请填写提示词'], [/^Add at least one picture$/, '请至少添加一张图片'], [/^Add at least one picture · Write a prompt$/, '请至少添加一张图片 · 请填写提示词'], [/^Enter your WaveSpeed key$/, '请输入 WaveSpeed 密钥'], [/^Remove picture (\d+)$/, '移除图片 $1'], [/^View of picture (\d+)$/, '图片 $1 的视角'], [/^Role of picture (\d+)$/, '图片 $1 的角色'],
    [/^Not mentioned: (\d+) pictures? \((.+)\)\.$/, '未提及 $1 张图片（$2）。'], [/^The (.+) is being made… (.+)$/, '正在制作 $1… $2'], [/^(.*) Safe to close this page\.$/, '可以关闭此页面，任务会继续。'], [/^Almost the same as picture (\d+)\.$/, '与图片 $1 几乎相同。'],
  ];
  const THEIRS = 'textarea, dd, .open b, #k-compare td, #k-compare option, .strip, #k-pictures .name, #k-clip .clip b, .found p, script, style';
  const ATTRIBUTES = ['aria-label', 'title', 'placeholder'];
  function inChinese(text) {
    const bare = text.trim();
    if (!bare) return text;
    if (Object.hasOwn(WORDS, bare)) return text.replace(bare, () => WORDS[bare]);
    const pattern = PATTERNS.find(([form]) => form.test(bare) || form.test(text));
    return pattern ? (pattern[0].test(bare) ? bare : text).replace(pattern[0], pattern[1]) : text;
  }
  function exchange(node) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.parentElement?.closest(THEIRS)) return;
      const text = inChinese(node.data);
      if (text !== node.data) node.data = text;
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches('script, style')) return;
    for (const name of ATTRIBUTES) {
      const text = node.getAttribute(name);
      const own = text && !(name === 'placeholder' && node.matches('textarea')) ? inChinese(text) : text;
      if (own !== text) node.setAttribute(name, own);
    }
    node.childNodes.forEach(exchange);
  }
  const watcher = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === 'childList') change.addedNodes.forEach(exchange);
      else if (change.type === 'characterData') exchange(change.target);
      else if (change.target.hasAttribute(change.attributeName)) { const text = change.target.getAttribute(change.attributeName); const own = inChinese(text); if (own !== text && !change.target.matches('textarea')) change.target.setAttribute(change.attributeName, own); }
    }
  });
  const begin = () => {
    document.documentElement.lang = 'zh-CN';
    exchange(document.body);
    watcher.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
  };
  if (document.body) begin(); else document.addEventListener('DOMContentLoaded', begin);
})();
